import { z } from 'zod';
import type { Context } from '#src/context';
import { restoreEmail } from '#src/email/restore-email';
import { challengedAddress, verifyEmail } from '#src/email/verify-email';
import { CODE } from '#src/one-time-tokens/limits';
import type { FormInput } from '#src/platform/http/form-input';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { message } from '#src/platform/messages/message';
import { LinkToken } from '#src/user-mail/mail-tokens';
import { Password } from '#src/users/schemas';

const CHOSEN_PASSWORD: FormInput = {
  label: message('pages', 'password'),
  name: 'password',
  type: 'password',
  autocomplete: 'new-password',
  maxLength: 1024,
};

/** The pages that mailed links open to confirm an address and to restore the old one. */
export const emailPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/confirm-email',
    operationId: 'submitEmailConfirmation',
    title: message('pages', 'confirm-email.title'),
    text: message('pages', 'confirm-email.text'),
    button: message('pages', 'confirm-address'),
    done: message('pages', 'confirm-email.done'),
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: (given) => verifyEmail(ctx, given),
  }),
  formPage({
    path: '/confirm-sign-up',
    operationId: 'submitSignUpConfirmation',
    title: message('pages', 'confirm-sign-up.title'),
    text: message('pages', 'confirm-sign-up.text', { count: ctx.settings.passwordMinLength }),
    button: message('pages', 'confirm-address'),
    done: message('pages', 'confirm-sign-up.done'),
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: CHOSEN_PASSWORD,
    endsInSignIn: true,
    whose: (token) => challengedAddress(ctx, token),
    work: (given) => verifyEmail(ctx, given),
  }),
  formPage({
    path: '/restore-email',
    operationId: 'submitEmailRestoration',
    title: message('pages', 'restore-email.title'),
    text: message('pages', 'restore-email.text'),
    button: message('pages', 'restore-email.button'),
    done: message('pages', 'restore-email.done'),
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: ({ token }) => restoreEmail(ctx, token),
  }),
];
