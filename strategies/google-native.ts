import { z } from 'zod';
import { defineStrategy } from '#src/strategy-kit/strategy';
import { googleKeys, sharedWithGoogle } from '#strategies/_google';
import { clientIds, idTokenInput, takesIdTokens } from '#strategies/_id-token-input';

const env = z.object({
  GOOGLE_NATIVE_CLIENT_IDS: clientIds.describe(
    'Client ids of your apps from the Google Cloud console, comma-separated: those of iOS, Android and the web client that Android names.',
  ),
  ...sharedWithGoogle,
});

export default defineStrategy({
  name: 'google-native',
  provider: 'google',
  summary: 'Sign in with an ID token that Google gave to your app',
  credentials: idTokenInput('Google'),
  env,
  sharedSettings: Object.keys(sharedWithGoogle),
  ...takesIdTokens(sourceOf),
});

function sourceOf(settings: z.output<typeof env>) {
  const { GOOGLE_NATIVE_CLIENT_IDS, GOOGLE_ISSUER, GOOGLE_HOSTED_DOMAIN } = settings;
  return {
    issuer: GOOGLE_ISSUER,
    // Google writes it with and without https:// (its documentation, "Verify the Google ID token").
    issuers: [GOOGLE_ISSUER, GOOGLE_ISSUER.replace('https://', '')],
    keys: googleKeys(GOOGLE_ISSUER),
    clientIds: GOOGLE_NATIVE_CLIENT_IDS,
    accepts: ({ hd }: Record<string, unknown>) =>
      !GOOGLE_HOSTED_DOMAIN || hd === GOOGLE_HOSTED_DOMAIN,
  };
}
