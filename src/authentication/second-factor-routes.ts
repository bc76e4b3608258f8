import { z } from 'zod';
import {
  answersIn,
  factorAnswers,
  factorIn,
  factorMembers,
  factorOptions,
  FactorOptions,
} from '#src/authentication/factor-answers';
import { finishSignIn } from '#src/authentication/finish-sign-in';
import { bindToKey, checkKey } from '#src/authentication/prove-key';
import { readWaitingSignIn } from '#src/authentication/second-factor';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { limit } from '#src/platform/http/rate-limit';
import { post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { Tokens } from '#src/sessions/schemas';
import { DeviceInput } from '#src/strategy-kit/device-input';

const tag = 'Authentication';
const MfaToken = z.string().min(1).max(128).meta({ description: 'From `mfa_required`.' });

const SecondFactor = oneOfFields(
  z
    .strictObject({ mfaToken: MfaToken, ...factorAnswers, device: DeviceInput.optional() })
    .refine((body) => answersIn(body) === 1, {
      message: `Give one of ${factorMembers.join(', ')}`,
      params: { code: 'required' },
      path: [factorMembers[0]!],
    }),
  factorMembers.map((member) => [member]),
  'oneOf',
).meta({ id: 'SecondFactor' });
const OptionsRequest = z.strictObject({ mfaToken: MfaToken }).meta({ id: 'SecondFactorRequest' });

export const secondFactorRoutes = (ctx: Context): Route[] => [
  post(
    '/auth/mfa',
    [checkKey(ctx), limit(ctx, CODE), bindToKey(ctx)],
    {
      operationId: 'finishSignIn',
      tag,
      summary: 'Finish a sign-in with a second factor',
      description: `For a sign-in that answered \`mfa_required\`. Its token is good for ${inWords(lifetimes.secondFactorSeconds)}, once, and for five answers.`,
      body: SecondFactor,
      returns: Tokens,
      problems: [
        'invalid_code',
        'invalid_credentials',
        'email_unverified',
        'factor_unreadable',
        'unavailable',
      ],
    },
    async ({ body }, { req }) => {
      const { mfaToken, device, ...answer } = body;
      const given = factorIn(answer);
      return (await finishSignIn(ctx, req, mfaToken, given, deviceOf(req, device))).tokens;
    },
  ),

  post(
    '/auth/mfa/options',
    [limit(ctx, CODE)],
    {
      operationId: 'getSecondFactorOptions',
      tag,
      summary: 'What a second factor needs before it can answer',
      description: 'Codes need nothing: 404 for a user who has no other second factor.',
      body: OptionsRequest,
      returns: FactorOptions,
      problems: ['invalid_code', 'not_found'],
    },
    async (req) => {
      const { request } = await readWaitingSignIn(ctx, req.body.mfaToken);
      return factorOptions(ctx, request);
    },
  ),
];
