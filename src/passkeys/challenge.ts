import { randomBytes } from 'node:crypto';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { isFirstUse } from '#src/one-time-tokens/one-time-tokens';
import { unsealJson } from '#src/platform/crypto/secrets';

/** What a challenge is good for. A passkey that signed one of them has signed nothing for the other. */
export type Purpose = 'passkey registration' | 'passkey sign-in';

interface Challenge {
  challenge: string;
  /** Whose registration it is. Null at a sign-in: nobody is known yet. */
  userId: string | null;
  /** Milliseconds since 1970. */
  expiresAt: number;
}

/**
 * A challenge, and the sealed token that brings it back. Nothing is stored before it comes back: a page for signing in may
 * ask for one at each visit.
 */
export function issueChallenge(
  { clock, secrets }: Context,
  purpose: Purpose,
  userId: string | null = null,
): { challengeToken: string; challenge: string } {
  const challenge = randomBytes(32).toString('base64url');
  const expiresAt = clock.now() + lifetimes.passkeyChallengeSeconds * 1000;
  const sealed: Challenge = { challenge, userId, expiresAt };
  return { challenge, challengeToken: secrets.seal(purpose, JSON.stringify(sealed)) };
}

/**
 * Spends a challenge. Null if it was spent before, has expired, or was issued for something else, for another user or by
 * another server. Of many callers who spend it at the same time, one gets it.
 */
export async function spendChallenge(
  ctx: Context,
  purpose: Purpose,
  challengeToken: string,
  userId: string | null = null,
): Promise<string | null> {
  const sealed = unsealJson(ctx.secrets, purpose, challengeToken) as Challenge | undefined;
  const isGood = sealed && sealed.userId === userId && sealed.expiresAt > ctx.clock.now();
  if (!isGood) return null;
  const { challenge } = sealed;
  const isFirst = await isFirstUse(ctx, purpose, challenge, lifetimes.passkeyChallengeSeconds);
  return isFirst ? challenge : null;
}
