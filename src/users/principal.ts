import type { User } from '#models/index';
import { MINUTE_MS } from '#src/lifetimes';
import type { Clock } from '#src/platform/clock';

export interface PrincipalSession {
  readonly id: string;
  /** The strategy that started the session. */
  readonly strategy: string;
  /** When the user last proved who they are, in seconds since 1970 with milliseconds as fraction. */
  readonly authTime: number;
}

type PrincipalFields = { readonly [K in keyof Principal]: Principal[K] };
/** The columns of a user that a principal is made of. */
type UserFields = Pick<User, 'id' | 'username' | 'email' | 'emailVerifiedAt' | 'name'>;
interface SessionFields {
  readonly id: string;
  readonly strategy: string;
  readonly authenticatedAt: Date | null;
  readonly createdAt: Date;
}

/**
 * The authenticated user of a request, as guards and handlers see it in `req.user`. Requests may share one object, so
 * it is frozen. To change a user, load the row.
 */
export class Principal {
  readonly id: string;
  readonly username: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly name: string | null;
  /** Names in alphabetical order. With `scopes`, only the roles among these. */
  readonly roles: readonly string[];
  /** Null for a credential that has no session, such as an API key. */
  readonly session: PrincipalSession | null;
  /** The roles that the credential may use. Null: all of them. */
  readonly scopes: readonly string[] | null;

  constructor(fields: PrincipalFields) {
    const { roles, session, scopes } = fields;
    this.id = fields.id;
    this.username = fields.username;
    this.email = fields.email;
    this.emailVerified = fields.emailVerified;
    this.name = fields.name;
    this.roles = Object.freeze(roles.filter((role) => scopes?.includes(role) ?? true).sort());
    this.session = session && Object.freeze({ ...session });
    this.scopes = scopes && Object.freeze([...scopes]);
    Object.freeze(this);
  }
}

interface More {
  session?: SessionFields | null | undefined;
  /** The roles that the credential may use, if not all. */
  scopes?: readonly string[] | null | undefined;
}

/** The principal of a row that was loaded with its roles. Throws without roles: a guard must never guess them. */
export function principalOf(user: User, { session, scopes }: More = {}): Principal {
  if (!user.roles) throw new Error('Load the user with its roles before asking for them.');
  const roles = user.roles.map(({ name }) => name);
  return build(user, roles, session ?? null, scopes ?? null);
}

/** The same for the plain rows of a session and its user. */
export const principalFrom = (
  user: UserFields & { readonly roles: readonly string[] },
  session: SessionFields,
): Principal => build(user, user.roles, session, null);

const build = (
  user: UserFields,
  roles: readonly string[],
  session: SessionFields | null,
  scopes: readonly string[] | null,
): Principal =>
  new Principal({
    id: user.id,
    username: user.username ?? null,
    email: user.email ?? null,
    emailVerified: Boolean(user.emailVerifiedAt),
    name: user.name ?? null,
    roles,
    session: session && {
      id: session.id,
      strategy: session.strategy,
      authTime: (session.authenticatedAt ?? session.createdAt).getTime() / 1000,
    },
    scopes,
  });

/**
 * True when the user proved who they are in the last so many minutes. Never true without a session: an API key proves
 * nothing anew.
 */
export const isFresh = ({ session }: Principal, clock: Clock, minutes: number): boolean =>
  session !== null && Math.round(session.authTime * 1000) > clock.now() - minutes * MINUTE_MS;
