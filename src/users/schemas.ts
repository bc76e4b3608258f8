import { z } from 'zod';
import { EmailInput, identifierInput } from '#src/platform/email-input';
import { LOCALES } from '#src/platform/messages/locales';
import { PlainText } from '#src/platform/text';
import { isReserved, username } from '#src/users/identifiers';
import type { Principal } from '#src/users/principal';

export const Username = identifierInput(username).meta({
  description:
    'Letters, digits and `. _ -`, 2 to 64 characters. Upper and lower case are the same; it is shown as it was typed.',
  example: 'ada',
});
export const Email = EmailInput;
/** A username that anybody may choose. */
export const FreeUsername = Username.refine((name) => !isReserved(name), {
  message: 'This name is reserved',
  params: { code: 'reserved' },
});

/** In UTF-16 units. Long enough for any passphrase, short enough to hash quickly. */
const LONGEST_PASSWORD = 1024;
/**
 * A password as it was sent: never trimmed or cut. `requireStrong` decides if it is good enough.
 */
export const Password = z
  .string()
  .min(1)
  .max(LONGEST_PASSWORD)
  .refine((text) => text.isWellFormed(), 'This is not well-formed Unicode')
  .meta({
    format: 'password',
    example: 'correct horse battery staple',
    description: 'Any character counts, spaces too.',
  });

export const Name = PlainText.max(100).meta({
  description: 'How the user likes to be called.',
  example: 'Ada Lovelace',
});

export const UserLocale = z.enum(LOCALES).meta({
  description: 'The language of pages and mails for the user (BCP 47).',
  example: 'de',
});

export const newUserFields = {
  email: Email.optional(),
  password: Password,
  name: Name.optional(),
};
/** For `.refine`: a new user has a username or an address. */
export const hasIdentifier = (user: { username?: unknown; email?: unknown }): boolean =>
  user.username !== undefined || user.email !== undefined;
export const identifierMissing = {
  message: 'Give a username, an e-mail address, or both',
  params: { code: 'required' },
  path: ['username'],
};

/** A new user with any username, as the command line may make one. `emailVerified`: the operator vouches for the address. */
export const NewUser = z
  .strictObject({
    username: Username.optional(),
    ...newUserFields,
    emailVerified: z.boolean().optional(),
  })
  .refine(hasIdentifier, identifierMissing)
  .refine((user) => !user.emailVerified || user.email !== undefined, {
    message: 'Only an e-mail address can be verified: give one',
    params: { code: 'required' },
    path: ['email'],
  });
export type NewUser = z.output<typeof NewUser>;

/** A request that gives nothing but an address. */
export const EmailOnly = z.strictObject({ email: Email }).meta({ id: 'EmailOnly' });

export const publicUserFields = {
  id: z.uuid(),
  username: z.string().nullable(),
  email: z.string().nullable(),
  emailVerified: z.boolean(),
  name: z.string().nullable(),
  roles: z.array(z.string()).meta({ example: ['user'] }),
};
export const PublicUser = z.object(publicUserFields).meta({ id: 'User' });

/** The answer about the signed-in user. */
export const OwnUser = z
  .object({
    ...publicUserFields,
    locale: UserLocale.nullable(),
    permissions: z.array(z.string()).meta({
      description: 'What the roles allow: `resource:action`, `resource:*` or `*`.',
      example: ['users:read'],
    }),
    actor: z.object({ id: z.uuid(), username: z.string().nullable() }).nullable().meta({
      description:
        'The administrator who acts for the user (impersonation). Show it. Null: the user is here.',
    }),
  })
  .meta({ id: 'OwnUser' });

/** The answer about a user. Rows become principals by `principalOf`. */
export const publicUser = (user: Principal): z.input<typeof PublicUser> => ({
  id: user.id,
  username: user.username,
  email: user.email,
  emailVerified: user.emailVerified,
  name: user.name,
  roles: [...user.roles],
});

export const ownUser = (user: Principal): z.input<typeof OwnUser> => ({
  ...publicUser(user),
  locale: user.locale,
  permissions: [...user.permissions],
  actor: user.actor && { ...user.actor },
});
