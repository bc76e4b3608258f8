import { z } from 'zod';
import type { Context } from '#src/context';
import { addPasskey, passkeyOptions } from '#src/factors/enrol-passkey';
import { guardsOfChange } from '#src/factors/routes';
import { ConfirmedFactor, FactorName, listedFactor } from '#src/factors/schemas';
import { CODE } from '#src/one-time-tokens/limits';
import { limit } from '#src/platform/http/rate-limit';
import { post, type Route } from '#src/platform/http/route';
import {
  ChallengeToken,
  CreationOptions,
  RegisteredCredential,
} from '#src/platform/http/webauthn-json';
import { signedInAs } from '#src/users/principal';

const tag = 'Account';

const NewPasskey = z
  .strictObject({
    challengeToken: ChallengeToken,
    credential: RegisteredCredential,
    name: FactorName.optional().meta({
      description: 'Default: the name of the password manager or device, where it is known.',
    }),
  })
  .meta({ id: 'NewPasskey' });

const Options = z
  .object({ challengeToken: z.string(), publicKey: CreationOptions })
  .meta({ id: 'NewPasskeyOptions' });

/** There are none unless passkeys are on. */
export const passkeyRoutes = (ctx: Context): Route[] =>
  ctx.settings.passkeyRpId === undefined ? [] : routes(ctx);

const routes = (ctx: Context): Route[] => [
  post(
    '/me/factors/passkeys/options',
    guardsOfChange(ctx),
    {
      operationId: 'startPasskey',
      tag,
      summary: 'Begin to add a passkey',
      description:
        'What `navigator.credentials.create()` needs, as JSON: for `startRegistration()` of @simplewebauthn/browser.',
      returns: Options,
    },
    (req) => passkeyOptions(ctx, req.user),
  ),

  post(
    '/me/factors/passkeys',
    [...guardsOfChange(ctx), limit(ctx, CODE, signedInAs)],
    {
      operationId: 'addPasskey',
      tag,
      summary: 'Add a passkey',
      description:
        'With it you sign in at `POST /auth/passkey`, and it is a second factor for other ways to sign in. Those ask for one from now on.',
      body: NewPasskey,
      returns: ConfirmedFactor,
      status: 201,
      problems: ['passkey_refused', 'conflict'],
    },
    async (req) => {
      const { factor, recoveryCodes } = await addPasskey(ctx, req.user, req.body);
      return { ...listedFactor(factor), recoveryCodes };
    },
  ),
];
