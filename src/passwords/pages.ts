import { z } from 'zod';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { FORGOT } from '#src/passwords/limits';
import { forgotPassword, resetPassword } from '#src/passwords/reset-password';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { LinkToken } from '#src/user-mail/mail-tokens';
import { Email, Password } from '#src/users/schemas';

const NEW_PASSWORD =
  '<label>New password <input name="password" type="password" autocomplete="new-password" required maxlength="1024"></label>';
const ADDRESS =
  '<label>E-mail address <input name="email" type="email" autocomplete="email" required maxlength="254"></label>';

/**
 * The page that a mailed link opens to set a new password, and the one that asks for such a mail.
 */
export const passwordPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/reset-password',
    operationId: 'submitPasswordReset',
    title: 'Choose a new password',
    text: `At least ${ctx.settings.passwordMinLength} characters. You will be signed out everywhere, and can sign in with the new password.`,
    button: 'Set this password',
    done: 'Your new password is set. You can close this page and sign in.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: NEW_PASSWORD,
    work: ({ token, password }) => resetPassword(ctx, token, password),
  }),
  formPage({
    path: '/forgot-password',
    operationId: 'submitForgotPassword',
    title: 'Ask for a new password',
    text: 'A mail with a link goes to your address, if you are registered with it.',
    button: 'Send me a mail',
    done: `If somebody here has this address, a mail with a link is on its way. The link is good for ${inWords(lifetimes.passwordResetSeconds)}.`,
    guard: limit(ctx, FORGOT),
    fields: z.strictObject({ email: Email }),
    input: ADDRESS,
    work: ({ email }) => forgotPassword(ctx, email),
  }),
];
