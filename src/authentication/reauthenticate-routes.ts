import { z } from 'zod';
import {
  answersIn,
  factorAnswers,
  factorIn,
  factorMembers,
  FactorOptions,
} from '#src/authentication/factor-answers';
import { authenticate, requireFullAccess } from '#src/authentication/guards';
import { reauthenticate, reauthenticationOptions } from '#src/authentication/prove-again';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { limitPasswordGuess } from '#src/passwords/limits';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { post, type Route } from '#src/platform/http/route';
import { Password } from '#src/users/schemas';

const tag = 'Account';
const Reauthentication = oneOfFields(
  z
    .strictObject({ password: Password.optional(), ...factorAnswers })
    .refine((body) => Object.keys(body).length > 0, {
      message: 'Give your password, a second factor, or both',
      params: { code: 'required' },
      path: ['password'],
    })
    .refine((body) => answersIn(body) <= 1, {
      message: `Give one of ${factorMembers.join(', ')}`,
      params: { code: 'too_many' },
      path: [factorMembers[0]!],
    }),
  [['password'], ...factorMembers.map((member) => [member])],
  'anyOf',
).meta({ id: 'Reauthentication' });

/** For what answers `step_up_required`. It is open to who must enrol a factor: that takes a fresh sign-in. */
export const reauthenticateRoutes = (ctx: Context): Route[] => {
  const guards = [
    authenticate(ctx, { toEnrol: true }),
    requireFullAccess,
    limitPasswordGuess(ctx),
  ] as const;
  return [
    post(
      '/auth/reauthenticate',
      guards,
      {
        operationId: 'reauthenticate',
        tag,
        summary: 'Prove again who you are',
        description:
          'For what answers `step_up_required`: with your password, with a second factor, or with both. ' +
          'A second factor makes the session `aal2`, as `acrValues` wants it. ' +
          'A new sign-in does the same. The next refresh says so in the access token.',
        body: Reauthentication,
        problems: ['invalid_credentials', 'factor_unreadable', 'busy'],
      },
      ({ body, user }, { req }) => {
        const { password, ...rest } = body as { password?: string };
        return reauthenticate(ctx, req, user, { password, factor: factorIn(rest) });
      },
    ),

    post(
      '/auth/reauthenticate/options',
      guards,
      {
        operationId: 'getReauthenticationOptions',
        tag,
        summary: 'What a second factor needs before you prove again who you are',
        description: `Codes need nothing: 404 for a user who has no other second factor. Good for ${inWords(lifetimes.secondFactorSeconds)}, once, for this session.`,
        returns: FactorOptions,
        problems: ['not_found'],
      },
      (req) => reauthenticationOptions(ctx, req.user),
    ),
  ];
};
