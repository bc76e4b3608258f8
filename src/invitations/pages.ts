import { z } from 'zod';
import type { Context } from '#src/context';
import { acceptInvitation, invitedAddress } from '#src/invitations/accept';
import { CODE } from '#src/one-time-tokens/limits';
import type { FormInput } from '#src/platform/http/form-input';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { message } from '#src/platform/messages/message';
import { LinkToken } from '#src/user-mail/mail-tokens';
import { Password } from '#src/users/schemas';

const NEW_PASSWORD: FormInput = {
  label: message('pages', 'password'),
  name: 'password',
  type: 'password',
  autocomplete: 'new-password',
  maxLength: 1024,
};

/** The page that the link of an invitation opens. */
export const invitationPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/accept-invitation',
    operationId: 'submitInvitation',
    title: message('pages', 'accept-invitation.title'),
    text: message('pages', 'accept-invitation.text', { count: ctx.settings.passwordMinLength }),
    button: message('pages', 'accept-invitation.button'),
    done: message('pages', 'accept-invitation.done'),
    usedBefore: message('pages', 'accept-invitation.used-before'),
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: NEW_PASSWORD,
    endsInSignIn: true,
    whose: (token) => invitedAddress(ctx, token),
    work: async (given) => void (await acceptInvitation(ctx, given)),
  }),
];
