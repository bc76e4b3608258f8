import { Op } from 'sequelize';
import { z } from 'zod';
import type { Request } from 'express';
import { Role, User, type Session } from '#models/index';
import { RoleName } from '#src/access/roles';
import { config } from '#src/config';
import { isVerificationRequired } from '#src/core/confirmation';
import { Problem } from '#src/core/problem';
import type { Dialect } from '#src/http/dialect';
import type { Source } from '#src/users/tutorial-tables';
import { deviceOf } from '#src/sessions/device';
import { startSession } from '#src/sessions/sessions';
import { signAccessToken } from '#src/sessions/tokens';
import { register } from '#src/users/register';
import type { NewUser } from '#src/users/schemas';

/** A dialect, and what its tutorial's database looks like. */
export interface Tutorial extends Dialect {
  /** Roles that it needs to be there. */
  roles?: string[];
  source: Source;
}

/** What signing in takes, by the name that the tutorial has for an identifier. What else clients send is left alone. */
export const Credentials = <const F extends string>(field: F) =>
  z
    .object({ [field]: z.string().min(1).max(512), password: z.string().min(1).max(1024) } as Record<F | 'password', z.ZodString>)
    .transform((given) => ({
      identifier: (given as Record<string, string>)[field]!,
      password: (given as Record<string, string>)['password']!,
    }));

/** Roles as clients ask for them: a list, or one field of a form. */
export const Roles = z
  .union([
    z.array(z.string().max(64)).max(20),
    z
      .string()
      .max(64)
      .transform((name) => (name === '' ? [] : [name])),
  ])
  .nullish();

/** Signs in whom Passport has let through, with a token that lasts as long as these clients need. */
export async function enter(req: Pick<Request, 'headers' | 'ip'> & { user: User }) {
  const session = await startSession(req.user, deviceOf(req), 'local');
  return { session, accessToken: tokenFor(session) };
}
export const tokenFor = (session: Session): string => signAccessToken(session, config.DIALECT_ACCESS_TOKEN_TTL);

/** The status of a refusal for which the tutorial has no other: to it, a weak password was a bad request. */
export const statusOf = ({ code, status }: Problem): number => (code === 'weak_password' ? 400 : status);

/** A role that is not there: 400, with its name, as the tutorials said it. */
export class UnknownRole extends Problem {
  readonly role: string;
  constructor(role: string) {
    super('invalid_request');
    this.role = role.replaceAll(/[^\w .-]/g, '?'); // it is said back, as text/html
  }
}

/**
 * Registers somebody who may ask for roles; `ours` makes our name of theirs. The tutorials made everybody an administrator who asked for it, or for
 * no role at all: here only SIGNUP_ROLES are given. Names are checked before roles, as they did. Throws what `register` does,
 * UnknownRole, and 403 `forbidden` for any other role.
 */
export async function signUp(newUser: NewUser, roles: readonly string[] | null = [], ours = (name: string) => name): Promise<User> {
  // It must not tell which addresses are known, and these words for it all do.
  if (isVerificationRequired()) throw new Problem('forbidden', { members: { required: [] } });
  await lookForTaken(newUser);
  const asked = roles ?? [];
  for (const name of asked) if (!(await isRole(ours(name)))) throw new UnknownRole(name);
  const names = asked.map(ours);
  if (names.some((name) => !config.SIGNUP_ROLES.includes(name))) throw new Problem('forbidden', { members: { required: [] } });
  return register(newUser, names.length > 0 ? [...new Set(names)] : ['user']);
}

/** Asks the database for nothing that can be no name of a role: not every engine likes what strangers think of. */
const isRole = async (name: string): Promise<boolean> => RoleName.safeParse(name).success && (await Role.count({ where: { name } })) > 0;

/** For the order of the answers only. What decides is the unique index that `register` meets. */
async function lookForTaken({ username, email }: NewUser): Promise<void> {
  const taken = [
    ['username_taken', { usernameCanonical: username?.canonical ?? null }],
    ['email_taken', { emailCanonical: email?.canonical ?? null }],
  ] as const;
  for (const [code, where] of taken) {
    const name = Object.values(where)[0];
    if (name && (await User.count({ where: { [Op.and]: where } }))) throw new Problem(code);
  }
}
