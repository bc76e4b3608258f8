import { Strategy as LocalStrategy } from 'passport-local';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/http/strategy';
import { DeviceInput } from '#src/sessions/device';
import { accountNamed } from '#src/users/account';
import { verifyCredentials } from '#src/users/credentials';

const Identifier = z.string().min(1).max(512);

export default defineStrategy({
  name: 'local',
  path: 'login',
  kind: 'login',
  summary: 'Sign in with a username or e-mail address and a password',
  credentials: z
    .strictObject({
      identifier: Identifier.optional().meta({
        description: 'Username or e-mail address. Give it, or `username`, or `email`.',
        example: 'ada',
      }),
      username: Identifier.optional(),
      email: Identifier.optional(),
      password: z.string().min(1).max(1024).meta({ format: 'password' }),
      device: DeviceInput.optional(),
    })
    .transform(({ identifier, username, email, ...rest }, context) => {
      const [given, ...more] = [identifier, username, email].filter((name) => name !== undefined);
      if (given !== undefined && more.length === 0) return { identifier: given, ...rest };
      context.addIssue({
        code: 'custom',
        path: ['identifier'],
        message: 'Give one of identifier, username and email',
        params: { code: 'required' },
      });
      return z.NEVER;
    })
    .meta({ id: 'Credentials', example: { identifier: 'ada', password: 'correct horse battery staple' } }),
  account: { field: 'identifier', find: accountNamed },
  create: () => new LocalStrategy({ usernameField: 'identifier', session: false }, verify(verifyCredentials)),
});
