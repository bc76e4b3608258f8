import { Strategy as LocalStrategy } from 'passport-local';
import { z } from 'zod';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

const Identifier = z.string().min(1).max(512);

const Credentials = z
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
    const given = [identifier, username, email].filter((name) => name !== undefined);
    const [name, ...more] = given;
    if (name !== undefined && more.length === 0) return { identifier: name, ...rest };
    context.addIssue({
      code: 'custom',
      path: ['identifier'],
      message: 'Give one of identifier, username and email',
      params: { code: 'required' },
    });
    return z.NEVER;
  });

export default defineStrategy({
  name: 'local',
  path: 'login',
  kind: 'login',
  summary: 'Sign in with a username or e-mail address and a password',
  amr: ['pwd'],
  credentials: oneOfFields(Credentials, [['identifier'], ['username'], ['email']], 'oneOf').meta({
    id: 'Credentials',
    example: { identifier: 'ada', password: 'correct horse battery staple' },
  }),
  account: {
    field: 'identifier',
    find: (name, { auth }) => auth.users.passwordSubject(name),
  },
  create: ({ auth }) =>
    new LocalStrategy(
      { usernameField: 'identifier', session: false },
      verify(async (identifier: string, password: string) =>
        auth.users.verifyPassword(identifier, password),
      ),
    ),
});
