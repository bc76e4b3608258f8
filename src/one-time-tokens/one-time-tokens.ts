import { createHash, randomBytes } from 'node:crypto';
import { ForeignKeyConstraintError, literal, Op, UniqueConstraintError } from 'sequelize';
import type { OneTimeToken } from '#models/index';
import { NOBODY } from '#models/user';
import type { Context } from '#src/context';
import { unsealJson } from '#src/platform/crypto/secrets';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { takeTurn } from '#src/platform/database/take-turn';

/** The owner of a token: a user, or a sign-up that is to become one. */
export interface Owner {
  userId?: string | null;
  signUpId?: string | null;
}
interface NewGrant extends Owner {
  /** JSON, stored encrypted. */
  data?: unknown;
}
/** What a token stands for. */
export interface Grant<T> {
  /** What `spendGrant` finds it by. */
  digest: string;
  userId: string | null;
  signUpId: string | null;
  data: T;
  createdAt: Date;
}

/** How a token, or any other one-time name, is found without being stored: SHA-256 in hex. */
export const digestOf = (purpose: string, token: string): string =>
  createHash('sha256').update(`${purpose}:${token}`).digest('hex');

/**
 * Makes a token of 256 bits that may be spent once within so many seconds. Only its digest is stored. If the owner is
 * deleted at the same moment, the token is valid for nothing.
 */
export async function issueToken(
  { db, clock, secrets }: Context,
  purpose: string,
  seconds: number,
  { userId = null, signUpId = null, data }: NewGrant = {},
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  try {
    await db.OneTimeToken.create({
      digest: digestOf(purpose, token),
      purpose,
      userId,
      signUpId,
      data: data === undefined ? null : secrets.seal(purpose, JSON.stringify(data)),
      expiresAt: clock.date(seconds * 1000),
    });
  } catch (error) {
    if (!(error instanceof ForeignKeyConstraintError)) throw error;
  }
  return token;
}

/**
 * The same, and makes void what its owner was given for this purpose before. To be called in a transaction: of several
 * concurrent calls only the token of the last is valid.
 */
export async function replaceToken(
  ctx: Context,
  purpose: string,
  seconds: number,
  grant: NewGrant,
): Promise<string> {
  const { OneTimeToken, SignUp, User } = ctx.db;
  await (grant.signUpId
    ? takeTurn(SignUp, { id: grant.signUpId })
    : takeTurn(User, { id: grant.userId ?? NOBODY }));
  await OneTimeToken.destroy({ where: { ...whereOwner(grant), purpose } });
  return issueToken(ctx, purpose, seconds, grant);
}

const whereOwner = ({ userId, signUpId }: Owner) =>
  signUpId ? { signUpId } : { userId: userId ?? NOBODY };

/** Makes void every token of a user, except those for these purposes. */
export const voidTokens = async (
  { db }: Context,
  userId: string,
  { except = [] }: { except?: readonly string[] } = {},
): Promise<void> => {
  await db.OneTimeToken.destroy({ where: { userId, purpose: { [Op.notIn]: [...except] } } });
};

const whereUnexpired = ({ clock }: Context) => ({ expiresAt: { [Op.gt]: clock.date() } });

/** Null if it was issued under an APP_SECRET that is gone: nobody knows any more what it stands for. */
function grantOf<T>({ secrets }: Context, token: OneTimeToken): Grant<T> | null {
  const { digest, purpose, userId, signUpId, data: sealed, createdAt } = token;
  const data = sealed && unsealJson(secrets, purpose, sealed);
  return data === undefined ? null : { digest, userId, signUpId, data: data as T, createdAt };
}

async function read<T>(ctx: Context, purpose: string, by: object): Promise<Grant<T> | null> {
  const where = { purpose, ...by, ...whereUnexpired(ctx) };
  const found = await ctx.db.OneTimeToken.findOne({ where });
  return found && grantOf<T>(ctx, found);
}

/** What the token stands for, without spending it. Null if it is not valid. */
export const readToken = <T>(ctx: Context, purpose: string, token: string) =>
  read<T>(ctx, purpose, { digest: digestOf(purpose, token) });

/** The same for an owner whose tokens for this purpose replace each other. */
export const readOwn = <T>(ctx: Context, purpose: string, owner: Owner) =>
  read<T>(ctx, purpose, whereOwner(owner));

/**
 * Spends a token. Null if it was spent, has expired or never existed. Of many callers who spend it at the same time, one
 * gets the grant.
 */
export const spendToken = <T>(
  ctx: Context,
  purpose: string,
  token: string,
): Promise<Grant<T> | null> =>
  ctx.db.transaction(async () => {
    const grant = await readToken<T>(ctx, purpose, token);
    return grant && (await spendGrant(ctx, grant)) ? grant : null;
  });

/** Spends what was read. False if somebody else has spent it. */
export const spendGrant = async (
  { db }: Context,
  { digest }: Pick<Grant<unknown>, 'digest'>,
): Promise<boolean> => (await db.OneTimeToken.destroy({ where: { digest } })) > 0;

/** How many guesses a short code allows. */
const MAX_GUESSES = 5;

/**
 * The last token of one of these owners, by the short code that came with it, as `data.code`. It is not spent. After
 * five guesses no code is right; the token itself stays valid. An owner who does not exist costs as many statements.
 */
export const readShortCode = <T extends { code: string }>(
  ctx: Context,
  purpose: string,
  owners: readonly Owner[],
  code: string,
): Promise<Grant<T> | null> =>
  ctx.db.transaction(async () => {
    let right: Grant<T> | null = null;
    for (const owner of owners.length > 0 ? owners : [{}])
      right ??= await guess<T>(ctx, purpose, owner, code);
    return right;
  });

/** Counts a guess at what belongs to a token. False if there were five, or there is no such token. */
export async function countGuess({ db }: Context, digest: string): Promise<boolean> {
  const [counted] = await db.OneTimeToken.update(
    { attempts: literal('tries + 1') }, // the column
    { where: { digest, attempts: { [Op.lt]: MAX_GUESSES } } },
  );
  return counted > 0;
}

async function guess<T extends { code: string }>(
  ctx: Context,
  purpose: string,
  owner: Owner,
  code: string,
): Promise<Grant<T> | null> {
  const grant = await readOwn<T>(ctx, purpose, owner);
  const isCounted = await countGuess(ctx, grant?.digest ?? '');
  if (!isCounted || grant?.data.code !== code) return null;
  const where = { digest: grant.digest };
  await ctx.db.OneTimeToken.update({ attempts: literal('tries - 1') }, { where });
  return grant;
}

/**
 * Replay guard: true only the first time an id is seen within so many seconds. For what was not issued as a token here,
 * such as the `jti` of a JWT.
 */
export async function isFirstUse(
  { db, clock }: Context,
  purpose: string,
  id: string,
  seconds: number,
): Promise<boolean> {
  const row = { digest: digestOf(purpose, id), purpose, expiresAt: clock.date(seconds * 1000) };
  try {
    await db.OneTimeToken.create(row, { ...skipCacheInvalidation }); // no session depends on it
    return true;
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
}
