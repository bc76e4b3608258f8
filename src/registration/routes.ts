import { z } from 'zod';
import { requireOpenSignup } from '#src/authentication/guards';
import { bindToKey, checkKey } from '#src/authentication/prove-key';
import { signIn } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { isVerificationRequired } from '#src/email/confirmation';
import { passwordRule } from '#src/passwords/password-policy';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { limit } from '#src/platform/http/rate-limit';
import { post, type Route } from '#src/platform/http/route';
import { SIGN_UP } from '#src/registration/limits';
import { register } from '#src/registration/register';
import { signUp } from '#src/registration/sign-up';
import { deviceOf } from '#src/sessions/device';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { Tokens } from '#src/sessions/schemas';
import { FreeUsername, hasIdentifier, identifierMissing, newUserFields } from '#src/users/schemas';

const Registration = oneOfFields(
  z
    .strictObject({
      username: FreeUsername.optional(),
      ...newUserFields,
      device: DeviceInput.optional(),
    })
    .refine(hasIdentifier, identifierMissing),
  [['username'], ['email']],
  'anyOf',
).meta({ id: 'Registration' });

const VerificationRequired = z
  .object({ status: z.literal('verification_required') })
  .meta({ id: 'VerificationRequired' });

/** EMAIL_VERIFICATION decides what registering does. */
export const registrationRoutes = (ctx: Context): Route[] => [
  isVerificationRequired(ctx) ? signUpRoute(ctx) : registerRoute(ctx),
];

const spec = {
  operationId: 'register',
  tag: 'Authentication',
  body: Registration,
  problems: ['username_taken', 'weak_password', 'busy', 'unavailable'],
} as const;

/** Answers the same for a known address and an unknown one. */
const signUpRoute = (ctx: Context) =>
  post(
    '/auth/register',
    [requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
    {
      ...spec,
      summary: 'Create a user',
      description: `Give an e-mail address, and a username if you like. ${passwordRule(ctx)} A mail to the address says how to go on. The answer is the same for every address.`,
      returns: VerificationRequired,
      status: 202,
    },
    async (req) => {
      const { device: _, ...newUser } = req.body;
      await signUp(ctx, newUser);
      return { status: 'verification_required' as const };
    },
  );

const registerRoute = (ctx: Context) =>
  post(
    '/auth/register',
    [requireOpenSignup(ctx), checkKey(ctx), limit(ctx, SIGN_UP), bindToKey(ctx)],
    {
      ...spec,
      summary: 'Create a user and sign in',
      description: `Give a username, an e-mail address, or both. ${passwordRule(ctx)} A new user has exactly the role \`user\`.`,
      returns: Tokens,
      status: 201,
      problems: [...spec.problems, 'email_taken'],
    },
    async (req) => {
      const { device, ...newUser } = req.body;
      const user = await register(ctx, newUser);
      const method = { strategy: 'local', amr: ['pwd'] };
      return (await signIn(ctx, { user }, deviceOf(req, device), method)).tokens;
    },
  );
