import type { Request } from 'express';
import { Op } from 'sequelize';
import { z } from 'zod';
import type { User } from '#models/index';
import { RoleName } from '#src/access/roles';
import { signIn, type Identity } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { register } from '#src/registration/register';
import { deviceOf } from '#src/sessions/device';
import { issueTokens } from '#src/sessions/issue-tokens';
import { touchSession } from '#src/sessions/touch-session';
import type { NewUser } from '#src/users/schemas';

/** The body of a sign-in. `field`: how the tutorial calls the identifier. Other members are ignored. */
export const Credentials = <const F extends string>(field: F) =>
  z
    .object({
      [field]: z.string().min(1).max(512),
      password: z.string().min(1).max(1024),
    } as Record<F | 'password', z.ZodString>)
    .transform((body) => {
      const { [field]: identifier, password } = body as Record<string, string>;
      return { identifier: identifier!, password: password! };
    });

/** Roles in a sign-up: a list, or one field of a form. */
export const Roles = z
  .union([
    z.array(z.string().max(64)).max(20),
    z
      .string()
      .max(64)
      .transform((name) => (name === '' ? [] : [name])),
  ])
  .nullish();

/** One name of two, either of which may be missing. */
export const joinNames = (...names: (string | null | undefined)[]): string =>
  names.filter((name) => typeof name === 'string' && name !== '').join(' ');

/** What somebody typed, for an answer that is sent as text/html. It must not need an entity: clients show it as it is. */
export const plainIn = (typed: string): string => typed.replaceAll(/[<>&]/g, '?');

type Incoming = Pick<Request, 'headers' | 'ip'>;

/**
 * Signs in with the identity that `identify(ctx, 'local')` found. The access token lasts DIALECT_ACCESS_TOKEN_TTL: these
 * clients do not refresh it. They cannot ask for a second factor either.
 * @throws {Problem} 403 `mfa_required` for a user who has one, and what `signIn` throws
 */
export async function signInFor(ctx: Context, req: Incoming & { identity: Identity }) {
  const signedIn = await signIn(ctx, req.identity, deviceOf(req), {
    strategy: 'local',
    accessTokenTtl: ctx.settings.dialectAccessTokenTtl,
    cannotAsk: true,
  });
  return { ...signedIn, accessToken: signedIn.tokens.accessToken };
}

/**
 * A new access token for a refresh token, which stays the same: these clients would ignore a new one.
 * @throws {Problem} 400 `invalid_grant`
 */
export async function refreshFor(ctx: Context, req: Incoming, presented: string) {
  const { session, user } = await touchSession(ctx, presented, deviceOf(req));
  const tokens = issueTokens(ctx, session, user, ctx.settings.dialectAccessTokenTtl);
  return { accessToken: tokens.accessToken, refreshToken: tokens.refreshToken };
}

/** The status of a refusal for which the tutorial has none: a weak password was a bad request there. */
export const statusOf = ({ code, status }: Problem): number =>
  code === 'weak_password' ? 400 : status;

/** A role that does not exist: 400 with its name, as the tutorials answered it. */
export class UnknownRole extends Problem {
  readonly role: string;
  constructor(role: string) {
    super('invalid_request');
    this.role = role.replaceAll(/[^\w .-]/g, '?'); // it is answered as text/html
  }
}

/**
 * Registers a user who may ask for roles. `toRole` makes our name of the tutorial's. The tutorials made an administrator
 * of anybody who asked for it, or for no role at all. Here only SIGNUP_ROLES are given. As in the tutorials, names are
 * checked before roles.
 * @throws {Problem} what `register` throws, UnknownRole, 403 `forbidden` for any other role, 403 `signup_closed` where
 * addresses must be confirmed
 */
export async function signUpFor(
  ctx: Context,
  newUser: NewUser,
  roles: readonly string[] | null = [],
  toRole = (name: string) => name,
): Promise<User> {
  const { settings } = ctx;
  // With confirmation required, a sign-up must not tell which addresses are known. The answers of the tutorials do.
  if (settings.emailVerification === 'required') throw new Problem('signup_closed');
  await refuseTakenNames(ctx, newUser);
  const wanted = (roles ?? []).map((theirs) => ({ theirs, ours: toRole(theirs) }));
  for (const { theirs, ours } of wanted)
    if (!(await isRole(ctx, ours))) throw new UnknownRole(theirs);
  const names = wanted.map(({ ours }) => ours);
  if (names.some((name) => !settings.signupRoles.includes(name)))
    throw new Problem('forbidden', { members: { required: [] } });
  return register(ctx, newUser, names.length > 0 ? [...new Set(names)] : ['user']);
}

/** Does not send the database a text that can be no role: some engines fail on odd characters. */
const isRole = async ({ db }: Context, name: string): Promise<boolean> =>
  RoleName.safeParse(name).success && (await db.Role.count({ where: { name } })) > 0;

/** Only for the order of the answers. The unique indexes decide, in `register`. */
async function refuseTakenNames({ db }: Context, { username, email }: NewUser): Promise<void> {
  const names = [
    ['username_taken', { usernameCanonical: username?.canonical ?? null }],
    ['email_taken', { emailCanonical: email?.canonical ?? null }],
  ] as const;
  for (const [code, where] of names) {
    const name = Object.values(where)[0];
    if (name && (await db.User.count({ where: { [Op.and]: where } }))) throw new Problem(code);
  }
}
