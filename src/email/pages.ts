import { z } from 'zod';
import type { Context } from '#src/context';
import { restoreEmail } from '#src/email/restore-email';
import { verifyEmail } from '#src/email/verify-email';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { LinkToken } from '#src/user-mail/mail-tokens';
import { Password } from '#src/users/schemas';

const CHOSEN_PASSWORD =
  '<label>Password <input name="password" type="password" autocomplete="new-password" required maxlength="1024"></label>';

/** The pages that mailed links open to confirm an address and to restore the old one. */
export const emailPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/confirm-email',
    operationId: 'submitEmailConfirmation',
    title: 'Confirm your e-mail address',
    text: 'One click, and the address is yours to sign in with.',
    button: 'Confirm this address',
    done: 'Your e-mail address is confirmed. You can close this page and sign in.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: (given) => verifyEmail(ctx, given),
  }),
  formPage({
    path: '/confirm-sign-up',
    operationId: 'submitSignUpConfirmation',
    title: 'Confirm your sign-up',
    text: `Somebody, probably you, signed up with your e-mail address. Type the password that you chose, or a new one of at least ${ctx.settings.passwordMinLength} characters: it becomes the password of the account. If you did not sign up, close this page.`,
    button: 'Confirm this address',
    done: 'Your e-mail address is confirmed. You can close this page and sign in with this password.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken, password: Password }),
    input: CHOSEN_PASSWORD,
    work: (given) => verifyEmail(ctx, given),
  }),
  formPage({
    path: '/restore-email',
    operationId: 'submitEmailRestoration',
    title: 'Keep this e-mail address',
    text: 'Somebody wanted to use another address in place of this one. If it was not you, keep this one: everybody is signed out; the password, linked providers and API keys are deleted; and a mail lets you choose a new password.',
    button: 'Keep this address',
    done: 'The address is yours again. A mail with a link to choose a new password is on its way.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: ({ token }) => restoreEmail(ctx, token),
  }),
];
