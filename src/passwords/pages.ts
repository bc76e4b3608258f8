import { z } from 'zod';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { readToken } from '#src/one-time-tokens/one-time-tokens';
import { FORGOT } from '#src/passwords/limits';
import { forgotPassword, resetPassword } from '#src/passwords/reset-password';
import type { FormInput } from '#src/platform/http/form-input';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { message } from '#src/platform/messages/message';
import { LinkToken, RESET } from '#src/user-mail/mail-tokens';
import { Email, Password } from '#src/users/schemas';

const NEW_PASSWORD: FormInput = {
  label: message('pages', 'new-password'),
  name: 'password',
  type: 'password',
  autocomplete: 'new-password',
  maxLength: 1024,
};
const ADDRESS: FormInput = {
  label: message('pages', 'email'),
  name: 'email',
  type: 'email',
  autocomplete: 'email',
  maxLength: 254,
};

/**
 * The page that a mailed link opens to set a new password, and the one that asks for such a mail.
 */
export const passwordPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/reset-password',
    operationId: 'submitPasswordReset',
    title: message('pages', 'choose-password'),
    text: message('pages', 'reset-password.text', { count: ctx.settings.passwordMinLength }),
    button: message('pages', 'reset-password.button'),
    done: message('pages', 'reset-password.done'),
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: NEW_PASSWORD,
    endsInSignIn: true,
    whose: async (token) => (await readToken<string>(ctx, RESET, token))?.data,
    work: ({ token, password }) => resetPassword(ctx, token, password),
  }),
  formPage({
    path: '/forgot-password',
    operationId: 'submitForgotPassword',
    title: message('pages', 'ask-for-password'),
    text: message('pages', 'forgot-password.text'),
    button: message('pages', 'forgot-password.button'),
    done: message('pages', 'forgot-password.done', {
      duration: { seconds: lifetimes.passwordResetSeconds },
    }),
    guard: limit(ctx, FORGOT),
    fields: z.strictObject({ email: Email }),
    input: ADDRESS,
    endsInSignIn: true,
    work: ({ email }, onward) => forgotPassword(ctx, email, onward),
  }),
];
