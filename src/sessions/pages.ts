import { z } from 'zod';
import type { Context } from '#src/context';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { limit } from '#src/platform/http/rate-limit';
import { message } from '#src/platform/messages/message';
import { endReported } from '#src/sessions/end-reported';
import { LinkToken } from '#src/user-mail/mail-tokens';

/** The page that mails open about a sign-in on a new device, and about an administrator who acts for the user. */
export const sessionPages = (ctx: Context): FormPage[] => [
  formPage({
    path: '/end-session',
    operationId: 'submitSessionEnd',
    title: message('pages', 'end-session.title'),
    text: message('pages', 'end-session.text'),
    button: message('pages', 'end-session.title'),
    done: message('pages', 'end-session.done'),
    usedBefore: message('pages', 'end-session.used-before'),
    next: { label: message('pages', 'choose-password'), path: '/forgot-password' },
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    work: ({ token }) => endReported(ctx, token),
  }),
];
