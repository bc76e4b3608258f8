/** What drivers make of a time: a date, or its text. */
export type Time = Date | string;
export const timeOf = (value: Time | null): Date | null =>
  value === null || value instanceof Date ? value : new Date(value);

/** The columns of a user that guards need, in a query by hand. There is a row for each role. */
export const USER_COLUMNS =
  'u.username, u.email, u.email_verified_at, u.name, u.locale, u.disabled_at, u.factors, r.name AS role, r.permissions';

/** Behind `users u`: a row for each role, or one without. */
export const JOIN_ROLES =
  'LEFT JOIN user_roles ur ON ur.user_id = u.id LEFT JOIN roles r ON r.id = ur.role_id';

/** Behind a table whose column this is. */
export const joinUser = (userId: string): string =>
  `JOIN users u ON u.id = ${userId} ${JOIN_ROLES}`;

export interface UserRow {
  user_id: string;
  username: string | null;
  email: string | null;
  email_verified_at: Time | null;
  name: string | null;
  locale: string | null;
  disabled_at: Time | null;
  factors: number;
  /** Null, as `permissions` is then, for a user without roles. */
  role: string | null;
  permissions: string | null;
}

/** A user as guards need one. `factors`: see `models/user`. `permissions`: see `models/role`. */
export interface GuardedUser {
  id: string;
  username: string | null;
  email: string | null;
  emailVerifiedAt: Date | null;
  name: string | null;
  locale: string | null;
  disabledAt: Date | null;
  factors: number;
  roles: { name: string; permissions: string }[];
}

export const userOfRows = ([row, ...more]: readonly [UserRow, ...UserRow[]]): GuardedUser => ({
  id: row.user_id,
  username: row.username,
  email: row.email,
  emailVerifiedAt: timeOf(row.email_verified_at),
  name: row.name,
  locale: row.locale,
  disabledAt: timeOf(row.disabled_at),
  factors: row.factors,
  roles: [row, ...more].flatMap(({ role, permissions }) =>
    role === null ? [] : { name: role, permissions: permissions ?? '' },
  ),
});
