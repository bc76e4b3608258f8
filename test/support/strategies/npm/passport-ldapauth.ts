import LdapStrategy from 'passport-ldapauth';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-ldapauth',
  kind: 'login',
  summary: 'Sign in with a directory password',
  env: z.object({
    DIRECTORY_URL: z.url(),
    DIRECTORY_BASE: z.string(),
    DIRECTORY_DN: z.string(),
    DIRECTORY_PASSWORD: z.string(),
  }),
  credentials: z.strictObject({ username: z.string(), password: z.string() }),
  create: ({
    env: { DIRECTORY_URL: url, DIRECTORY_DN: bindDN, DIRECTORY_PASSWORD: bindCredentials, ...env },
    resolveUser,
  }) =>
    new LdapStrategy(
      {
        server: {
          url,
          bindDN,
          bindCredentials,
          searchBase: env.DIRECTORY_BASE,
          searchFilter: '(uid={{username}})',
        },
      },
      verify(async ({ dn, uid, cn }: Record<string, string>) =>
        resolveUser({ subject: dn!, username: uid, name: cn }),
      ),
    ),
});
