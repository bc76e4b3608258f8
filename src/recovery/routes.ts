import { z } from 'zod';
import { requireFullAccess } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import { post } from '#src/http/route';
import { reauthenticate } from '#src/sessions/reauthenticate';
import { requestEmailChange, restoreEmail } from '#src/users/change-email';
import { forgotPassword, resetPassword } from '#src/users/reset-password';
import { limitPassword } from '#src/users/routes';
import { Email, Password } from '#src/users/schemas';
import { resendVerification, verifyEmail } from '#src/users/verify-email';

const tag = 'Recovering';
const Token = z.string().min(1).max(128).meta({ description: 'From the link in the mail.' });
const Code = z
  .string()
  .regex(/^\d{6}$/, 'Six digits')
  .meta({ description: 'From the mail.', example: '012345' });
/** Either the one or the other. */
const Proof = z
  .strictObject({ token: Token.optional(), email: Email.optional(), code: Code.optional() })
  .transform(({ token, email, code }, context) => {
    if (token !== undefined && email === undefined && code === undefined) return { token };
    if (token === undefined && email !== undefined && code !== undefined) return { email, code };
    context.addIssue({
      code: 'custom',
      path: ['token'],
      message: 'Give the token, or e-mail address and code',
      params: { code: 'required' },
    });
    return z.NEVER;
  })
  .meta({ id: 'EmailProof', example: { email: 'ada@example.com', code: '012345' } });

export default [
  post(
    '/auth/email/verify',
    [limit('code')],
    {
      tag,
      summary: 'Confirm an e-mail address',
      description: 'With the token of the link, or with the address and its six digits: five wrong ones, and only the link is good.',
      body: Proof,
      problems: ['invalid_code', 'email_taken', 'unavailable'],
    },
    (req) => verifyEmail(req.body),
  ),

  post(
    '/auth/email/verify/resend',
    [limit('forgot')],
    {
      tag,
      summary: 'Get that mail again',
      description: 'The answer is the same for every address.',
      body: z.strictObject({ email: Email }),
      status: 202,
    },
    (req) => resendVerification(req.body.email),
  ),

  post(
    '/auth/email/restore',
    [limit('code')],
    {
      tag,
      summary: 'Take the old e-mail address back',
      description:
        'With the token of the mail to the old address, for 72 hours. Every session ends, the password is gone, and a mail lets the owner choose another.',
      body: z.strictObject({ token: Token }),
      problems: ['invalid_code', 'email_taken', 'unavailable'],
    },
    (req) => restoreEmail(req.body.token),
  ),

  post(
    '/auth/password/forgot',
    [limit('forgot')],
    {
      tag,
      summary: 'Ask for a new password',
      description: 'A mail with a link goes to the address, if somebody has it. The answer is the same for every address.',
      body: z.strictObject({ email: Email }),
      status: 202,
      problems: ['unavailable'],
    },
    (req) => forgotPassword(req.body.email),
  ),

  post(
    '/auth/password/reset',
    [limit('code')],
    {
      tag,
      summary: 'Choose a new password',
      description: 'With the token of the link, once, for 15 minutes. Every session ends, and nobody is signed in.',
      body: z.strictObject({ token: Token, password: Password }),
      problems: ['invalid_code', 'weak_password', 'busy', 'unavailable'],
    },
    (req) => resetPassword(req.body.token, req.body.password),
  ),

  post(
    '/auth/reauthenticate',
    [authenticate(), requireFullAccess, limitPassword],
    {
      tag: 'Being in',
      summary: 'Prove again who you are',
      description: 'For what answers `step_up_required`. A new sign-in does the same.',
      body: z.strictObject({ password: Password }),
      problems: ['invalid_credentials', 'busy'],
    },
    (req) => reauthenticate(req.user, req.body.password),
  ),

  post(
    '/me/email',
    [authenticate(), requireFullAccess, limitPassword],
    {
      tag: 'Being in',
      summary: 'Change your e-mail address',
      description:
        'Nothing changes before the owner of the new address confirms it. The old one is told, and can undo it for 72 hours. Without a password of your own, sign in anew first.',
      body: z.strictObject({ email: Email, currentPassword: Password.optional() }),
      status: 202,
      problems: ['invalid_credentials', 'step_up_required', 'busy'],
    },
    (req) => requestEmailChange(req.user, req.body.email, req.body.currentPassword),
  ),
];
