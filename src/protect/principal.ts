import type { Claims } from '#src/protect/access-token';
import type { State } from '#src/protect/introspection';

/** Who sends a request. */
export interface Principal {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly roles: readonly string[];
  /** What these roles allow: `invoices:read`, `invoices:*` or `*`. */
  readonly permissions: readonly string[];
  readonly session: {
    readonly id: string;
    /** How the user proved who they are (RFC 8176), at which level, and when, in seconds since 1970. */
    readonly amr: readonly string[];
    readonly acr: string;
    readonly authTime: number;
  };
  /** The administrator who acts for the user (impersonation). */
  readonly actor: { readonly id: string } | null;
  /** True if the auth server is away, and this is what it said before (`graceSeconds`). */
  readonly stale: boolean;
}

export const principalOf = (
  { sub, sid, actor }: Claims,
  { username, email, emailVerified, roles, permissions, amr, acr, authTime }: State,
  stale: boolean,
): Principal => ({
  id: sub,
  username,
  email,
  emailVerified,
  roles,
  permissions,
  session: { id: sid, amr, acr, authTime },
  actor: actor && { id: actor.id },
  stale,
});

/** What a route asks of whoever calls it. */
export interface Required {
  /** Any one of these roles opens. */
  readonly roles?: readonly string[];
  /** All of these permissions are needed. */
  readonly permissions?: readonly string[];
}

/** The names that would open, if these do not. */
export function missing(
  { roles, permissions }: Pick<Principal, 'roles' | 'permissions'>,
  required: Required,
): readonly string[] | undefined {
  if (required.roles && !required.roles.some((name) => roles.includes(name))) return required.roles;
  if (required.permissions?.every((wanted) => grants(permissions, wanted)) === false)
    return required.permissions;
  return undefined;
}

/** `*` grants everything, and `users:*` every action on `users`, as at the auth server. */
const grants = (held: readonly string[], wanted: string): boolean =>
  held.includes(wanted) || held.includes('*') || held.includes(wanted.replace(/:.*$/s, ':*'));
