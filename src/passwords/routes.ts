import { z } from 'zod';
import { authenticate, requireFactorProof, requireFullAccess } from '#src/authentication/guards';
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
import { Tokens } from '#src/sessions/schemas';
import { MailToken } from '#src/user-mail/mail-tokens';
import { EmailOnly, Password } from '#src/users/schemas';

const PasswordChange = z
  .strictObject({ currentPassword: Password, newPassword: Password })
  .meta({ id: 'PasswordChange' });
const PasswordReset = z
  .strictObject({ token: MailToken, password: Password })
  .meta({ id: 'PasswordReset' });

export const passwordRoutes = (ctx: Context): Route[] => [
  put(
    '/me/password',
    [
      authenticate(ctx),
      requireFullAccess,
      requireFactorProof(ctx, lifetimes.freshCredentialChangeMinutes),
      limitPasswordGuess(ctx),
    ],
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
      const method = { strategy: 'local', amr: ['pwd'], continues: req.user.session };
      return (await signIn(ctx, { user }, device, method)).tokens;
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
];
