import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { issueToken, spendToken } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { passwordDigest } from '#src/users/password-digest';
import { findWithRoles } from '#src/users/with-roles';

const PURPOSE = 'sign-in code';

/** RFC 7636 §4.1. */
export const CodeVerifier = z
  .string()
  .regex(/^[\w.~-]{43,128}$/, '43 to 128 letters, digits and - . _ ~')
  .meta({
    description: 'What the code challenge was made from.',
    example: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  });

/**
 * Who an authorization code is for. A strategy answers a profile, an address that was proved, or a
 * user that it found itself. `amr`: what such a user has proved (RFC 8176), if it is not what the
 * strategy declares. With two factors, nobody asks for a second one at the exchange.
 */
type CodeOwner =
  | { user: User; amr?: readonly string[] }
  | { profile: ProviderProfile }
  | { address: ProvenAddress };

/** Which OAuth client asked for a code, and where it got it (RFC 6749 §4.1.3). */
export interface CodeClient {
  clientId?: string | undefined;
  redirectUri?: string | undefined;
}

/** What is stored with the code: one of `profile`, `address` and `userId`. */
interface StoredCode extends CodeClient {
  strategy: string;
  codeChallenge: string;
  profile?: ProviderProfile;
  address?: string;
  userId?: string;
  amr?: readonly string[] | undefined;
  /** Of the user. With another password, the code is void. */
  passwordDigest?: string;
}

/**
 * An authorization code (RFC 6749 §4.1.2), which an app gets in its redirect URI in place of
 * tokens. It works once, and only with the code verifier. It belongs to the user, if there is one
 * already, so it is void when they are changed: see `voidPending`.
 */
export async function issueAuthorizationCode(
  ctx: Context,
  strategy: string,
  owner: CodeOwner,
  codeChallenge: string,
  { clientId, redirectUri }: CodeClient = {},
): Promise<string> {
  const userId = await userIdOf(ctx, owner);
  const client = { clientId, redirectUri };
  const data: StoredCode = { strategy, codeChallenge, ...client, ...storedOwner(owner) };
  return issueToken(ctx, PURPOSE, lifetimes.authorizationCodeSeconds, { userId, data });
}

function storedOwner(owner: CodeOwner): Partial<StoredCode> {
  if ('profile' in owner) return { profile: owner.profile };
  if ('address' in owner) return { address: owner.address.address.display };
  const { user, amr } = owner;
  return { userId: user.id, amr, passwordDigest: passwordDigest(user.passwordHash) };
}

async function userIdOf({ db }: Context, owner: CodeOwner): Promise<string | null> {
  if ('user' in owner) return owner.user.id;
  if ('profile' in owner) {
    const { provider, subject } = owner.profile;
    const where = { provider, subject };
    return (await db.Identity.findOne({ attributes: ['userId'], where }))?.userId ?? null;
  }
  const where = { emailCanonical: owner.address.address.canonical };
  return (await db.User.findOne({ attributes: ['id'], where }))?.id ?? null;
}

/** Who a code is for, and how they proved it. */
interface CodeSubject {
  identity: CodeOwner;
  method: { strategy: string; amr?: readonly string[] };
}

/**
 * Who a code is for, and how they signed in. The code is spent even if the
 * verifier is wrong. `client`: who brings the code to the token endpoint. Without it, the code of
 * an OAuth client is refused.
 * @throws {Problem} 400 `invalid_code`
 */
export async function spendAuthorizationCode(
  ctx: Context,
  code: string,
  codeVerifier: string,
  client?: CodeClient,
): Promise<CodeSubject> {
  const stored = (await spendToken<StoredCode>(ctx, PURPOSE, code))?.data;
  if (!stored || challengeOf(codeVerifier) !== stored.codeChallenge || !isFor(stored, client))
    throw new Problem('invalid_code');
  const { strategy, profile, address, userId, amr } = stored;
  const method = { strategy, ...(amr && { amr }) };
  if (address !== undefined)
    return { method, identity: { address: new ProvenAddress(strategy, address) } };
  if (profile)
    return { method, identity: { profile: new ProviderProfile(profile.provider, profile) } };
  const user = userId === undefined ? null : await findWithRoles(ctx.db, { id: userId });
  if (!user || passwordDigest(user.passwordHash) !== stored.passwordDigest)
    throw new Problem('invalid_code');
  return { method, identity: { user } };
}

/** RFC 6749 §4.1.3: client and redirect URI are those of the authorization request. */
const isFor = ({ clientId, redirectUri }: StoredCode, client: CodeClient | undefined): boolean =>
  client
    ? (clientId === undefined || clientId === client.clientId) &&
      (redirectUri === undefined || redirectUri === client.redirectUri)
    : clientId === undefined;

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
