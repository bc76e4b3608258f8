import type { User } from '#models/index';
import { isLocale, type Locale } from '#src/platform/messages/locales';
import { permissionsIn, sortedPermissions } from '#src/users/permissions';
import { lastProved, proofOf, type Acr, type ProofColumns } from '#src/users/assurance';

export interface PrincipalSession {
  readonly id: string;
  /** The strategy that started the session. */
  readonly strategy: string;
  /** How the user proved who they are (RFC 8176). Empty for a session that began before that was stored. */
  readonly amr: readonly string[];
  /** `aal2` after two factors. */
  readonly acr: Acr;
  /** When the user last proved who they are, in seconds since 1970 with milliseconds as fraction. */
  readonly authTime: number;
  /** When they last proved two factors. Null: never. */
  readonly aal2Time: number | null;
}

/** Whoever acts for a user. */
export interface PrincipalActor {
  readonly id: string;
  readonly username: string | null;
}

type PrincipalFields = { readonly [K in keyof Principal]: Principal[K] };
/** The columns of a user that a principal is made of. */
type UserFields = Pick<
  User,
  'id' | 'username' | 'email' | 'emailVerifiedAt' | 'name' | 'locale' | 'factors'
>;
/** A role as it is stored: `permissions` are separated by spaces. */
interface RoleFields {
  readonly name: string;
  readonly permissions: string;
}
interface SessionFields extends ProofColumns {
  readonly id: string;
  readonly strategy: string;
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
  /** The language that the user has chosen. Null: none. */
  readonly locale: Locale | null;
  /** Names in alphabetical order. With `scopes`, only the roles among these. */
  readonly roles: readonly string[];
  /** What these roles allow, in alphabetical order, each once: `users:read`, `users:*` or `*`. `grants` reads them. */
  readonly permissions: readonly string[];
  /** How many confirmed second factors the user has. */
  readonly factors: number;
  /** Null for a credential that has no session, such as an API key. */
  readonly session: PrincipalSession | null;
  /** The roles that the credential may use. Null: all of them. */
  readonly scopes: readonly string[] | null;
  /** The administrator who sends this request in the user's name (impersonation). Null: the user does. */
  readonly actor: PrincipalActor | null;

  constructor(fields: PrincipalFields) {
    const { session, scopes, actor } = fields;
    this.id = fields.id;
    this.username = fields.username;
    this.email = fields.email;
    this.emailVerified = fields.emailVerified;
    this.name = fields.name;
    this.locale = fields.locale;
    this.roles = Object.freeze([...fields.roles]);
    this.permissions = Object.freeze([...fields.permissions]);
    this.factors = fields.factors;
    this.session = session && Object.freeze({ ...session, amr: Object.freeze([...session.amr]) });
    this.scopes = scopes && Object.freeze([...scopes]);
    this.actor = actor && Object.freeze({ ...actor });
    Object.freeze(this);
  }
}

interface More {
  session?: SessionFields | null | undefined;
  /** The roles that the credential may use, if not all. */
  scopes?: readonly string[] | null | undefined;
  actor?: PrincipalActor | null | undefined;
}

/** The principal of a row that was loaded with its roles. Throws without roles: a guard must never guess them. */
export function principalOf(user: User, more: More = {}): Principal {
  if (!user.roles) throw new Error('Load the user with its roles before asking for them.');
  return build(user, user.roles, more);
}

/** The same for the plain rows of a session or an API key, and its user. */
export const principalFrom = (
  user: UserFields & { readonly roles: readonly RoleFields[] },
  more: More,
): Principal => build(user, user.roles, more);

const build = (
  user: UserFields,
  all: readonly RoleFields[],
  { session = null, scopes = null, actor = null }: More,
): Principal => {
  const roles = all.filter(({ name }) => scopes?.includes(name) ?? true);
  return new Principal({
    id: user.id,
    username: user.username ?? null,
    email: user.email ?? null,
    emailVerified: Boolean(user.emailVerifiedAt),
    name: user.name ?? null,
    locale: isLocale(user.locale) ? user.locale : null,
    roles: roles.map(({ name }) => name).sort(),
    permissions: permissionsOf(roles),
    factors: user.factors,
    session: session && sessionOf(session),
    scopes,
    actor: actor && { id: actor.id, username: actor.username },
  });
};

/** What these roles allow together. */
export const permissionsOf = (roles: readonly RoleFields[]): string[] =>
  sortedPermissions(roles.flatMap(({ permissions }) => permissionsIn(permissions)));

function sessionOf(session: SessionFields): PrincipalSession {
  const { amr, acr } = proofOf(session);
  return {
    id: session.id,
    strategy: session.strategy,
    amr,
    acr,
    authTime: secondsOf(lastProved(session)),
    aal2Time: session.aal2At && secondsOf(session.aal2At),
  };
}

const secondsOf = (time: Date): number => time.getTime() / 1000;

/** Whom a guard has authenticated, as limits count them: the session, or the user of a credential without one. */
export const signedInAs = ({ user }: { user?: unknown }): string | undefined =>
  user instanceof Principal ? (user.session?.id ?? `user ${user.id}`) : undefined;
