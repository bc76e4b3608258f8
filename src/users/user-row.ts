import { v7 as uuid } from 'uuid';
import type { Identifier } from '#src/platform/email-address';
import { namesAsColumns } from '#src/users/identifiers';

export interface UserFields {
  /** Default: a new UUID. */
  id?: string | null | undefined;
  username?: Identifier | null | undefined;
  email?: Identifier | null | undefined;
  name?: string | null | undefined;
  locale?: string | null | undefined;
  passwordHash?: string | null | undefined;
  emailVerifiedAt?: Date | null | undefined;
  disabledAt?: Date | null | undefined;
  /** Default: when the row is written. */
  createdAt?: Date | null | undefined;
}

/** The row of a new user, for `User.create` and `User.bulkCreate`. Every new user is made of it. */
export const userRow = (fields: UserFields) => ({
  id: fields.id ?? uuid(),
  ...namesAsColumns(fields),
  name: fields.name ?? null,
  locale: fields.locale ?? null,
  passwordHash: fields.passwordHash ?? null,
  emailVerifiedAt: fields.emailVerifiedAt ?? null,
  disabledAt: fields.disabledAt ?? null,
  ...(fields.createdAt && { createdAt: fields.createdAt }),
});
