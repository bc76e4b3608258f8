import { z } from 'zod';
import { authenticate, requireFullAccess } from '#src/authentication/guards';
import { signIn } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { changePassword } from '#src/passwords/change-password';
import { FORGOT, limitPasswordGuess } from '#src/passwords/limits';
import { passwordRule } from '#src/passwords/password-policy';
import { forgotPassword, resetPassword } from '#src/passwords/reset-password';
import { limit } from '#src/platform/http/rate-limit';
import { post, put, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { reauthenticate } from '#src/sessions/reauthenticate';
import { Tokens } from '#src/sessions/schemas';
import { MailToken } from '#src/user-mail/mail-tokens';
import { EmailOnly, Password } from '#src/users/schemas';

const PasswordChange = z
  .strictObject({ currentPassword: Password, newPassword: Password })
  .meta({ id: 'PasswordChange' });
const PasswordReset = z
  .strictObject({ token: MailToken, password: Password })
  .meta({ id: 'PasswordReset' });
const Reauthentication = z.strictObject({ password: Password }).meta({ id: 'Reauthentication' });

export const passwordRoutes = (ctx: Context): Route[] => [
  put(
    '/me/password',
    [authenticate(ctx), requireFullAccess, limitPasswordGuess(ctx)],
    {
      operationId: 'changePassword',
      tag: 'Account',
      summary: 'Change your password',
      description: `Every session ends, this one too: go on with the tokens of the answer. ${passwordRule(ctx)}`,
      body: PasswordChange,
      returns: Tokens,
      problems: ['invalid_credentials', 'weak_password', 'busy'],
    },
    async (req) => {
      const { currentPassword, newPassword } = req.body;
      const { user, device } = await changePassword(
        ctx,
        req.user,
        currentPassword,
        newPassword,
        deviceOf(req),
      );
      return (await signIn(ctx, { user }, device, { strategy: 'local' })).tokens;
    },
  ),

  post(
    '/auth/password/forgot',
    [limit(ctx, FORGOT)],
    {
      operationId: 'requestPasswordReset',
      tag: 'Recovery',
      summary: 'Ask for a new password',
      description:
        'A mail with a link goes to the address, if somebody has it. The answer is the same for every address.',
      body: EmailOnly,
      status: 202,
      problems: ['unavailable'],
    },
    (req) => forgotPassword(ctx, req.body.email),
  ),

  post(
    '/auth/password/reset',
    [limit(ctx, CODE)],
    {
      operationId: 'resetPassword',
      tag: 'Recovery',
      summary: 'Choose a new password',
      description: `With the token of the link, once, for ${inWords(lifetimes.passwordResetSeconds)}. Every session ends, and nobody is signed in. ${passwordRule(ctx)}`,
      body: PasswordReset,
      problems: ['invalid_code', 'weak_password', 'busy', 'unavailable'],
    },
    (req) => resetPassword(ctx, req.body.token, req.body.password),
  ),

  post(
    '/auth/reauthenticate',
    [authenticate(ctx), requireFullAccess, limitPasswordGuess(ctx)],
    {
      operationId: 'reauthenticate',
      tag: 'Account',
      summary: 'Prove again who you are',
      description: 'For what answers `step_up_required`. A new sign-in does the same.',
      body: Reauthentication,
      problems: ['invalid_credentials', 'busy'],
    },
    (req) => reauthenticate(ctx, req.user, req.body.password),
  ),
];
