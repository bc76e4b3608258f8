import { z } from 'zod';
import type { User } from '#models/index';
import { config } from '#src/config';
import { PlainText } from '#src/core/text';
import { email, isReserved, username, type Fault, type Identifier } from '#src/users/identifiers';

const identifier = (read: (typed: string) => Identifier | Fault) =>
  z
    .string()
    .max(512)
    .transform((typed, context): Identifier => {
      const found = read(typed);
      if (!('code' in found)) return found;
      context.addIssue({ code: 'custom', message: found.message, params: { code: found.code } });
      return z.NEVER;
    });

export const Username = identifier(username).meta({
  description: 'Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed.',
  example: 'ada',
});
export const Email = identifier(email).meta({
  description: 'Upper and lower case are the same; dots and `+tags` are not ignored.',
  example: 'ada@example.com',
});
export const FreeUsername = Username.refine((name) => !isReserved(name), {
  message: 'This name is reserved',
  params: { code: 'reserved' },
});

/** Long enough for any passphrase, short enough to hash without thinking. In UTF-16 units. */
const LONGEST_PASSWORD = 1024;
/** A password as it comes: any character, never trimmed or cut. Whether it is good enough is `requireStrong`'s to say. */
export const Password = z
  .string()
  .min(1)
  .max(LONGEST_PASSWORD)
  .refine((text) => text.isWellFormed(), 'This is not well-formed Unicode')
  .meta({
    format: 'password',
    example: 'correct horse battery staple',
    description: `At least ${config.PASSWORD_MIN_LENGTH} characters for a new one. Any character counts, spaces too.`,
  });

export const Name = PlainText.max(100).meta({ description: 'How the user likes to be called.', example: 'Ada Lovelace' });

export const needsOne = { message: 'Give a username, an e-mail address, or both', params: { code: 'required' }, path: ['username'] };
export const someIdentifier = (user: { username?: unknown; email?: unknown }) => user.username !== undefined || user.email !== undefined;

export const newUserFields = { email: Email.optional(), password: Password, name: Name.optional() };
/** Somebody new, as the command line may make them. */
export const NewUser = z.strictObject({ username: Username.optional(), ...newUserFields }).refine(someIdentifier, needsOne);
export type NewUser = z.output<typeof NewUser>;

export const publicUserFields = {
  id: z.uuid(),
  username: z.string().nullable(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  name: z.string().nullable(),
  roles: z.array(z.string()).meta({ example: ['user'] }),
};
export const PublicUser = z.object(publicUserFields).meta({ id: 'User' });

/** What others may know of a user who was loaded with roles. */
export const publicUser = (user: User): z.input<typeof PublicUser> => ({
  id: user.id,
  username: user.username,
  email: user.email,
  emailVerified: user.emailVerifiedAt !== null,
  name: user.name,
  roles: user.roleNames,
});
