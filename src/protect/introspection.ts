import type { Claims } from '#src/protect/access-token';
import { Unavailable } from '#src/protect/auth-server';

/** What the auth server says of a session. */
export interface State {
  readonly exp: number;
  readonly username: string | null;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly amr: readonly string[];
  readonly acr: string;
  readonly authTime: number;
}

/**
 * What an introspection says (RFC 7662 §2.2). Null for a token that lets nobody in.
 * @throws {Unavailable} if it is no introspection of this token
 */
export function stateIn(
  answer: unknown,
  { sub, sid, jkt }: Pick<Claims, 'sub' | 'sid' | 'jkt'>,
): State | null {
  const said = (answer ?? {}) as Record<string, unknown>;
  if (said['active'] === false) return null;
  const { jkt: key } = (said['cnf'] ?? {}) as Record<string, unknown>;
  const { exp, roles, permissions, amr, acr, auth_time: authTime } = said;
  const isWhole =
    said['active'] === true &&
    said['sub'] === sub &&
    said['sid'] === sid &&
    key === jkt &&
    typeof exp === 'number' &&
    isTexts(roles) &&
    isTexts(permissions) &&
    isTexts(amr) &&
    typeof acr === 'string' &&
    typeof authTime === 'number';
  if (!isWhole) throw new Unavailable('This introspection is of another token, or of none');
  return {
    exp,
    username: textIn(said['username']),
    email: textIn(said['email']),
    emailVerified: said['email_verified'] === true,
    roles: Object.freeze(roles),
    permissions: Object.freeze(permissions),
    amr: Object.freeze(amr),
    acr,
    authTime,
  };
}

const isTexts = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string');
const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);
