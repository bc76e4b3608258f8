import { z } from 'zod';
import { defineStrategy } from '#src/strategy-kit/strategy';
import { endpointsAt, sharedWithApple } from '#strategies/_apple';
import { clientIds, idTokenInput, takesIdTokens } from '#strategies/_id-token-input';

const env = z.object({
  APPLE_NATIVE_CLIENT_IDS: clientIds.describe(
    'Bundle ids of your apps, comma-separated: com.example.app.',
  ),
  ...sharedWithApple,
});

const sourceOf = ({ APPLE_NATIVE_CLIENT_IDS, APPLE_ISSUER }: z.output<typeof env>) => ({
  issuer: APPLE_ISSUER,
  issuers: [APPLE_ISSUER],
  keys: endpointsAt(APPLE_ISSUER).jwks_uri,
  clientIds: APPLE_NATIVE_CLIENT_IDS,
});

export default defineStrategy({
  name: 'apple-native',
  provider: 'apple',
  summary: 'Sign in with an ID token that Apple gave to your app',
  credentials: idTokenInput('Apple'),
  env,
  sharedSettings: Object.keys(sharedWithApple),
  ...takesIdTokens(sourceOf),
});
