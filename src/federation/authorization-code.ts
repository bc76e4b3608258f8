import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import {
  endReplayed,
  markSpent,
  type CodeClient,
  type CodeProof,
} from '#src/federation/spent-code';
import { lifetimes } from '#src/lifetimes';
import { digestOf, issueToken, readToken } from '#src/one-time-tokens/one-time-tokens';
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

/** What is stored with the code: one of `profile`, `address` and `userId`. */
interface StoredCode extends CodeProof {
  strategy: string;
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

/** A code that was spent. `digest` and `proof`: for `noteSession`. */
interface SpentCode {
  digest: string;
  proof: CodeProof;
  identity: CodeOwner;
  method: { strategy: string; amr?: readonly string[] };
}

/**
 * Who a code is for, and how they signed in. The code is spent even if the
 * verifier is wrong. `client`: who brings the code to the token endpoint. Without it, the code of
 * an OAuth client is refused. A code that comes again ends the session that came of it: see `spent-code`.
 * @throws {Problem} 400 `invalid_code`
 */
export async function spendAuthorizationCode(
  ctx: Context,
  code: string,
  codeVerifier: string,
  client?: CodeClient,
): Promise<SpentCode> {
  const isProvedFor = (proof: CodeProof) => isProved(proof, codeVerifier, client);
  const grant = await readToken<StoredCode>(ctx, PURPOSE, code);
  const isSpent = grant !== null && (await markSpent(ctx, grant.digest, proofOf(grant.data)));
  if (!isSpent) await endReplayed(ctx, digestOf(PURPOSE, code), isProvedFor);
  if (!isSpent || !isProvedFor(grant.data)) throw new Problem('invalid_code');
  const { strategy, profile, address, userId, amr, passwordDigest: digest } = grant.data;
  const method = { strategy, ...(amr && { amr }) };
  const known = { digest: grant.digest, proof: proofOf(grant.data), method };
  if (address !== undefined)
    return { ...known, identity: { address: new ProvenAddress(strategy, address) } };
  if (profile)
    return { ...known, identity: { profile: new ProviderProfile(profile.provider, profile) } };
  const user = userId === undefined ? null : await findWithRoles(ctx.db, { id: userId });
  if (!user || passwordDigest(user.passwordHash) !== digest) throw new Problem('invalid_code');
  return { ...known, identity: { user } };
}

const proofOf = ({ codeChallenge, clientId, redirectUri }: CodeProof): CodeProof => ({
  codeChallenge,
  clientId,
  redirectUri,
});

const isProved = (proof: CodeProof, verifier: string, client: CodeClient | undefined): boolean =>
  challengeOf(verifier) === proof.codeChallenge && isFor(proof, client);

/** RFC 6749 §4.1.3: client and redirect URI are those of the authorization request. */
const isFor = ({ clientId, redirectUri }: CodeProof, client: CodeClient | undefined): boolean =>
  client
    ? (clientId === undefined || clientId === client.clientId) &&
      (redirectUri === undefined || redirectUri === client.redirectUri)
    : clientId === undefined;

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
