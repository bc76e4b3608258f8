import { createHash } from 'node:crypto';
import { z } from 'zod';
import { User } from '#models/index';
import { issueToken, spendToken } from '#src/core/one-time-tokens';
import { Problem } from '#src/core/problem';
import { Vouched } from '#src/core/vouched';

/** How long an app may take to fetch its tokens, in seconds. */
const LIFE = 60;
const PURPOSE = 'sign-in code';

/** RFC 7636 §4.2: base64url of a SHA-256, without padding. */
export const CodeChallenge = z
  .string()
  .regex(/^[\w-]{43}$/, 'The base64url of the SHA-256 of your code verifier')
  .meta({ description: 'PKCE (RFC 7636), method S256.', example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM' });
/** RFC 7636 §4.1. */
export const CodeVerifier = z
  .string()
  .regex(/^[\w.~-]{43,128}$/, '43 to 128 letters, digits and - . _ ~')
  .meta({ description: 'What the code challenge was made from.', example: 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk' });

interface Grant {
  strategy: string;
  codeChallenge: string;
  /** Whom the strategy vouched for; or, from a strategy that finds users by itself, which one. */
  vouched?: Vouched;
  userId?: string;
}

/** What an app gets in its address in place of tokens: worthless without the code verifier, and after the first try. */
export const issueCode = (strategy: string, who: Vouched | User, codeChallenge: string): Promise<string> =>
  issueToken(PURPOSE, LIFE, {
    data: { strategy, codeChallenge, ...(who instanceof Vouched ? { vouched: who } : { userId: who.id }) } satisfies Grant,
  });

/** Who came back with this code, and by which strategy. It is spent even if the verifier is wrong. Throws 400 `invalid_code`. */
export async function spendCode(code: string, codeVerifier: string): Promise<{ strategy: string; who: Vouched | User }> {
  const grant = (await spendToken<Grant>(PURPOSE, code))?.data;
  if (!grant || challengeOf(codeVerifier) !== grant.codeChallenge) throw new Problem('invalid_code');
  const { strategy, vouched, userId } = grant;
  const who = vouched ? new Vouched(vouched.provider, vouched) : await User.findByPk(userId, { include: ['roles'] });
  if (!who) throw new Problem('invalid_code');
  return { strategy, who };
}

const challengeOf = (verifier: string) => createHash('sha256').update(verifier).digest('base64url');
