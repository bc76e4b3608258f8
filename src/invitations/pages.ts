import { z } from 'zod';
import type { Context } from '#src/context';
import { acceptInvitation } from '#src/invitations/accept';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { LinkToken } from '#src/user-mail/mail-tokens';
import { Password } from '#src/users/schemas';

const NEW_PASSWORD =
  '<label>Password <input name="password" type="password" autocomplete="new-password" required maxlength="1024"></label>';

/** The page that the link of an invitation opens. */
export const invitationPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/accept-invitation',
    operationId: 'submitInvitation',
    title: 'Accept your invitation',
    text: `Choose a password of at least ${ctx.settings.passwordMinLength} characters. With it and your e-mail address you can sign in from now on.`,
    button: 'Accept the invitation',
    done: 'You have an account. You can close this page and sign in with your e-mail address and this password.',
    usedBefore:
      'If you have accepted it before, all is well: sign in. If not, ask whoever invited you for another mail.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: NEW_PASSWORD,
    work: async (given) => void (await acceptInvitation(ctx, given)),
  }),
];
