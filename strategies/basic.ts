import { z } from 'zod';
import { Problem } from '#src/core/problem';
import { counted } from '#src/http/attempts';
import { authorizationOf } from '#src/http/bearer';
import { custom, defineStrategy } from '#src/http/strategy';
import { accountNamed } from '#src/users/account';
import { verifyCredentials } from '#src/users/credentials';

const FORM = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** What was sent, or undefined if it has not the form. Only the first colon divides: a password may have more (RFC 7617 §2). */
function credentialsIn(header: string): { identifier: string; password: string } | undefined {
  try {
    const [, identifier, password] = /^([^:]{1,512}):([^]{1,1024})$/.exec(utf8.decode(Buffer.from(FORM.exec(header)![1]!, 'base64')))!;
    return { identifier: identifier!, password: password! };
  } catch {
    return undefined;
  }
}

/** Hashes a password for every request: for a script now and then. An API key is faster, and can be taken back. */
export default defineStrategy({
  name: 'basic',
  kind: 'bearer',
  summary: 'Username and password with every request',
  env: z.object({ BASIC_AUTH: z.literal('on').describe('`on` lets scripts send username and password with every request (RFC 7617).') }),
  scheme: { type: 'http', scheme: 'basic', description: 'For scripts. Each request hashes the password.' },
  create: () =>
    custom(async (req) => {
      const authorization = authorizationOf(req) ?? '';
      if (!/^basic\b/i.test(authorization)) return null;
      const { identifier = '', password = '' } = credentialsIn(authorization) ?? {};
      // Failures count as those at /auth/login do: here is no way around the limits.
      const user = identifier && (await counted(req, identifier, accountNamed, (name) => verifyCredentials(name, password)));
      if (!user) throw new Problem('invalid_credentials');
      return user;
    }),
});
