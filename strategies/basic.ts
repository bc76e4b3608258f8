import { z } from 'zod';
import { authorizationOf } from '#src/platform/http/credential-headers';
import { Problem } from '#src/platform/http/problem';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;
const CREDENTIALS = /^([^:]{1,512}):([^]{1,1024})$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * The credentials of the header, or undefined if it is malformed. They are divided at the first
 * colon: a password may contain more (RFC 7617 §2).
 */
function credentialsIn(header: string): { identifier: string; password: string } | undefined {
  try {
    const bytes = Buffer.from(BASIC.exec(header)![1]!, 'base64');
    const [, identifier, password] = CREDENTIALS.exec(utf8.decode(bytes))!;
    return { identifier: identifier!, password: password! };
  } catch {
    return undefined;
  }
}

/** Each request hashes a password, so this is for scripts that run now and then. */
export default defineStrategy({
  name: 'basic',
  kind: 'bearer',
  summary: 'Username and password with every request',
  env: z.object({
    BASIC_AUTH: z
      .literal('on')
      .describe('`on` lets scripts send username and password with every request (RFC 7617).'),
  }),
  scheme: {
    type: 'http',
    scheme: 'basic',
    description: 'For scripts. Each request hashes the password.',
  },
  create: ({ auth }) =>
    custom(async (req) => {
      const authorization = authorizationOf(req) ?? '';
      if (!/^basic\b/i.test(authorization)) return null;
      const { identifier = '', password = '' } = credentialsIn(authorization) ?? {};
      // Failures count as those at /auth/login do, so this is no way around the limits.
      const user =
        identifier &&
        (await auth.loginThrottle(
          req,
          identifier,
          (name) => auth.users.verifyPassword(name, password),
          'basic',
        ));
      if (!user) throw new Problem('invalid_credentials');
      return user;
    }),
});
