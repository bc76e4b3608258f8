import { z } from 'zod';
import {
  AssertedCredential,
  ChallengeToken,
  RequestOptions,
} from '#src/platform/http/webauthn-json';
import { custom, defineStrategy, DeviceInput, step } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passkey',
  kind: 'login',
  summary: 'Sign in with a passkey',
  amr: ['hwk', 'user', 'mfa'],
  isOn: ({ passkeyRpId }) => passkeyRpId !== undefined,
  steps: {
    options: step({
      summary: 'Get what a browser or phone needs to sign in with a passkey',
      body: z.strictObject({}).meta({ id: 'PasskeySignInRequest' }),
      returns: z
        .object({ challengeToken: z.string(), publicKey: RequestOptions })
        .meta({ id: 'PasskeySignInOptions' }),
      run: async (_body, { auth }) => auth.passkeys.options(),
    }),
  },
  credentials: z
    .strictObject({
      challengeToken: ChallengeToken,
      credential: AssertedCredential,
      device: DeviceInput.optional(),
    })
    .meta({ id: 'PasskeySignIn' }),
  create: ({ auth }) => custom(async ({ body }) => auth.passkeys.authenticate(body)),
});
