import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';

const GOOGLE = 'https://accounts.google.com';

/** Settings that hold in the browser and in apps. */
export const sharedWithGoogle = {
  GOOGLE_HOSTED_DOMAIN: z
    .hostname()
    .optional()
    .describe(
      'Only users of this Google Workspace domain may sign in, in the browser and in apps.',
    ),
  GOOGLE_ISSUER: secureUrl
    .default(GOOGLE)
    .describe('For tests: another issuer in the place of Google.'),
};

/** The address of the keys that ID tokens are signed with. */
export const googleKeys = (issuer: string): string =>
  issuer === GOOGLE ? 'https://www.googleapis.com/oauth2/v3/certs' : `${issuer}/jwks`;
