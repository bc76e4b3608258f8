import { z } from 'zod';
import type { Context } from '#src/context';
import { restoreEmail } from '#src/email/change-email';
import { verifyEmail } from '#src/email/verify-email';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { LinkToken } from '#src/user-mail/mail-tokens';

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
    path: '/restore-email',
    operationId: 'submitEmailRestoration',
    title: 'Keep this e-mail address',
    text: 'Somebody wanted to use another address in place of this one. If it was not you, keep this one: everybody is signed out, the password is void, and a mail lets you choose a new one.',
    button: 'Keep this address',
    done: 'The address is yours again. A mail with a link to choose a new password is on its way.',
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: ({ token }) => restoreEmail(ctx, token),
  }),
];
