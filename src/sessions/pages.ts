import { z } from 'zod';
import type { Context } from '#src/context';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { endReported } from '#src/sessions/end-reported';
import { LinkToken } from '#src/user-mail/mail-tokens';

/** The page that mails open about a sign-in on a new device, and about an administrator who acts for the user. */
export const sessionPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/end-session',
    operationId: 'submitSessionEnd',
    title: 'Sign that device out',
    text: 'A mail told you of a sign-in on a new device, or of an administrator who acts for you. If it should not be, one click signs that device out. Your other devices stay signed in.',
    button: 'Sign that device out',
    done: 'That device is signed out. Now choose a new password, unless it was an administrator who acts for you: whoever signed in may know the one you have. A new password signs out every device, and deletes every API key.',
    usedBefore:
      'The link was used before, or is too old. If you did not sign in yourself, choose a new password: that signs out every device, and deletes every API key.',
    next: { label: 'Choose a new password', path: '/forgot-password' },
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: ({ token }) => endReported(ctx, token),
  }),
];
