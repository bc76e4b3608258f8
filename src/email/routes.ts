import { z } from 'zod';
import { authenticate, requireFactorProof, requireFullAccess } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { pendingEmail, requestEmailChange } from '#src/email/change-email';
import { restoreEmail } from '#src/email/restore-email';
import { resendVerification, verifyEmail, type EmailVerification } from '#src/email/verify-email';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { FORGOT, limitPasswordGuess } from '#src/passwords/limits';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { limit } from '#src/platform/http/rate-limit';
import { get, post, type Route } from '#src/platform/http/route';
import { MailToken } from '#src/user-mail/mail-tokens';
import { Email, EmailOnly, Password, publicUserFields } from '#src/users/schemas';

const Code = z
  .string()
  .regex(/^\d{6}$/, 'Six digits')
  .meta({ description: 'From the mail.', example: '012345' });

const Verification = oneOfFields(
  z.strictObject({
    token: MailToken.optional(),
    email: Email.optional(),
    code: Code.optional(),
    password: Password.optional().meta({
      description: 'To confirm a sign-up: the password that was chosen then, or a new one.',
    }),
  }),
  [['token'], ['email', 'code']],
  'oneOf',
)
  .transform(({ token, email, code, password }, context): EmailVerification => {
    if (token !== undefined && email === undefined && code === undefined)
      return { token, password };
    if (token === undefined && email !== undefined && code !== undefined)
      return { email, code, password };
    context.addIssue({
      code: 'custom',
      path: ['token'],
      message: 'Give the token, or e-mail address and code',
      params: { code: 'required' },
    });
    return z.NEVER;
  })
  .meta({ id: 'EmailVerification', example: { email: 'ada@example.com', code: '012345' } });

const EmailRestoration = z.strictObject({ token: MailToken }).meta({ id: 'EmailRestoration' });

const EmailChange = z
  .strictObject({ email: Email, currentPassword: Password.optional() })
  .meta({ id: 'EmailChange' });

const OwnEmail = z
  .object({
    email: publicUserFields.email,
    emailVerified: publicUserFields.emailVerified,
    pendingEmail: z.string().nullable().meta({
      description:
        'The address of `POST /me/email`, until it is confirmed or its mail has expired.',
    }),
  })
  .meta({ id: 'OwnEmail' });

const restoreTime = inWords(lifetimes.emailRestoreSeconds);

export const emailRoutes = (ctx: Context): Route[] => [
  post(
    '/auth/email/verify',
    [limit(ctx, CODE)],
    {
      operationId: 'verifyEmail',
      tag: 'Recovery',
      summary: 'Confirm an e-mail address',
      description:
        'With the token of the link, or with the address and its six digits: five wrong ones, and only the link is good. A sign-up (EMAIL_VERIFICATION=required) is confirmed with a password: the one that was chosen, or a new one. Without it the answer is 400, and token and digits stay good.',
      body: Verification,
      problems: ['invalid_code', 'weak_password', 'email_taken', 'busy', 'unavailable'],
    },
    (req) => verifyEmail(ctx, req.body),
  ),

  post(
    '/auth/email/verify/resend',
    [limit(ctx, FORGOT)],
    {
      operationId: 'resendVerification',
      tag: 'Recovery',
      summary: 'Get that mail again',
      description: 'The answer is the same for every address.',
      body: EmailOnly,
      status: 202,
    },
    (req) => resendVerification(ctx, req.body.email),
  ),

  post(
    '/auth/email/restore',
    [limit(ctx, CODE)],
    {
      operationId: 'restoreEmail',
      tag: 'Recovery',
      summary: 'Take the old e-mail address back',
      description: `With the token of the mail to the old address, for ${restoreTime}. Every session ends. The password, all linked providers and all API keys are deleted, since whoever changed the address may have set them up. A mail lets the owner choose a new password; then providers can be linked again.`,
      body: EmailRestoration,
      problems: ['invalid_code', 'email_taken', 'unavailable'],
    },
    (req) => restoreEmail(ctx, req.body.token),
  ),

  get(
    '/me/email',
    [authenticate(ctx)],
    {
      operationId: 'getEmail',
      tag: 'Account',
      summary: 'Your e-mail address, and the one that waits to be confirmed',
      returns: OwnEmail,
    },
    async ({ user: { id, email, emailVerified } }) => ({
      email,
      emailVerified,
      pendingEmail: await pendingEmail(ctx, id),
    }),
  ),

  post(
    '/me/email',
    [
      authenticate(ctx),
      requireFullAccess,
      requireFactorProof(ctx, lifetimes.freshCredentialChangeMinutes),
      limitPasswordGuess(ctx),
    ],
    {
      operationId: 'changeEmail',
      tag: 'Account',
      summary: 'Change your e-mail address',
      description: `Nothing changes before the owner of the new address confirms it. The old one is told, and can undo it for ${restoreTime}. Without a password of your own, sign in anew first.`,
      body: EmailChange,
      status: 202,
      problems: ['invalid_credentials', 'step_up_required', 'busy'],
    },
    (req) => requestEmailChange(ctx, req.user, req.body.email, req.body.currentPassword),
  ),
];
