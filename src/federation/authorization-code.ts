import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { issueToken, spendToken } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';

const PURPOSE = 'sign-in code';

/** RFC 7636 §4.2: base64url of a SHA-256, without padding. */
export const CodeChallenge = z
  .string()
  .regex(/^[\w-]{43}$/, 'The base64url of the SHA-256 of your code verifier')
  .meta({
    description: 'PKCE (RFC 7636), method S256.',
    example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  });
/** RFC 7636 §4.1. */
export const CodeVerifier = z
  .string()
  .regex(/^[\w.~-]{43,128}$/, '43 to 128 letters, digits and - . _ ~')
  .meta({
    description: 'What the code challenge was made from.',
    example: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk',
  });

/**
 * Who an authorization code is for. A strategy answers a profile, or a user that it found itself.
 */
type CodeOwner = { user: User } | { profile: ProviderProfile };

/** What is stored with the code: one of `profile` and `userId`. */
interface StoredCode {
  strategy: string;
  codeChallenge: string;
  profile?: ProviderProfile;
  userId?: string;
}

/**
 * An authorization code (RFC 6749 §4.1.2), which an app gets in its redirect URI in place of
 * tokens. It works once, and only with the code verifier.
 */
export function issueAuthorizationCode(
  ctx: Context,
  strategy: string,
  owner: CodeOwner,
  codeChallenge: string,
): Promise<string> {
  const who = 'profile' in owner ? { profile: owner.profile } : { userId: owner.user.id };
  const data: StoredCode = { strategy, codeChallenge, ...who };
  return issueToken(ctx, PURPOSE, lifetimes.authorizationCodeSeconds, { data });
}

/**
 * Who a code is for, and the strategy that they signed in with. The code is spent even if the
 * verifier is wrong.
 * @throws {Problem} 400 `invalid_code`
 */
export async function spendAuthorizationCode(
  ctx: Context,
  code: string,
  codeVerifier: string,
): Promise<{ strategy: string; identity: CodeOwner }> {
  const stored = (await spendToken<StoredCode>(ctx, PURPOSE, code))?.data;
  if (!stored || challengeOf(codeVerifier) !== stored.codeChallenge)
    throw new Problem('invalid_code');
  const { strategy, profile, userId } = stored;
  if (profile)
    return { strategy, identity: { profile: new ProviderProfile(profile.provider, profile) } };
  const user = await ctx.db.User.findByPk(userId, { include: ['roles'] });
  if (!user) throw new Problem('invalid_code');
  return { strategy, identity: { user } };
}

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
