import { createHash, randomBytes } from 'node:crypto';
import { ForeignKeyConstraintError, literal, Op, UniqueConstraintError } from 'sequelize';
import { sharedTime } from '#models/clock';
import { OneTimeToken, SignUp, transaction, User } from '#models/index';
import { NOBODY } from '#models/user';
import { purge } from '#src/core/purge';
import { seal, unseal } from '#src/core/secrets';

const digestOf = (purpose: string, token: string) => createHash('sha256').update(`${purpose}:${token}`).digest('hex');

/** On the clock that all nodes share: the code for tokens lives for a minute, and another node may be asked for them. */
const inSeconds = (seconds: number) => new Date(sharedTime().getTime() + seconds * 1000);

/** Whose a token is: a user's, or somebody's who has signed up and is to become one. */
export interface Owner {
  userId?: string | null;
  signUpId?: string | null;
}
interface Grant extends Owner {
  /** Whatever it stands for; kept sealed. */
  data?: unknown;
}

/**
 * A token of 256 bits that may be spent once within so many seconds. Only its digest is kept. For an owner who goes at this moment it
 * is good for nothing.
 */
export async function issueToken(purpose: string, seconds: number, { userId = null, signUpId = null, data }: Grant = {}): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  try {
    await OneTimeToken.create({
      digest: digestOf(purpose, token),
      purpose,
      userId,
      signUpId,
      data: data === undefined ? null : seal(purpose, JSON.stringify(data)),
      expiresAt: inSeconds(seconds),
    });
  } catch (error) {
    if (!(error instanceof ForeignKeyConstraintError)) throw error;
  }
  return token;
}

/** The same in place of what its owner was given for this purpose before. In a transaction: of several at once the last is good. */
export async function replaceToken(purpose: string, seconds: number, grant: Grant): Promise<string> {
  const locked = { attributes: ['id'], lock: true };
  await (grant.signUpId ? SignUp.findByPk(grant.signUpId, locked) : User.findByPk(grant.userId ?? NOBODY, locked));
  await OneTimeToken.destroy({ where: { ...ofOwner(grant), purpose } });
  return issueToken(purpose, seconds, grant);
}

const ofOwner = ({ userId, signUpId }: Owner) => (signUpId ? { signUpId } : { userId: userId ?? NOBODY });

/** What was handed out to this user for these purposes is good for nothing any more. */
export const voidTokens = (purposes: readonly string[], userId: string): Promise<number> =>
  OneTimeToken.destroy({ where: { userId, purpose: [...purposes] } });

interface Spent<T> {
  userId: string | null;
  signUpId: string | null;
  data: T;
  createdAt: Date;
}

const stillGood = () => ({ expiresAt: { [Op.gt]: sharedTime() } });
const grantOf = <T>({ purpose, userId, signUpId, data, createdAt }: OneTimeToken): Spent<T> => ({
  userId,
  signUpId,
  data: (data === null ? undefined : JSON.parse(unseal(purpose, data).plain)) as T,
  createdAt,
});

/** What the token stands for, without spending it, or null if it is not good. */
export async function readToken<T>(purpose: string, token: string): Promise<Spent<T> | null> {
  const found = await OneTimeToken.findOne({ where: { digest: digestOf(purpose, token), purpose, ...stillGood() } });
  return found && grantOf<T>(found);
}

/** What the token stands for, or null if it was spent, has expired or never was. Of many who spend it at once, one gets it. */
export const spendToken = <T>(purpose: string, token: string): Promise<Spent<T> | null> =>
  transaction(async () => {
    const grant = await readToken<T>(purpose, token);
    return grant && (await OneTimeToken.destroy({ where: { digest: digestOf(purpose, token) } })) > 0 ? grant : null;
  });

/** How often somebody may guess at a short code. */
const GUESSES = 5;

/**
 * The same by the short code that was handed out with the last token of one of these owners, as `data.code`. After five guesses no code
 * is right; the token itself stays good. As many statements for an owner who is not there.
 */
export const spendShortCode = <T extends { code: string }>(
  purpose: string,
  owners: readonly Owner[],
  code: string,
): Promise<Spent<T> | null> =>
  transaction(async () => {
    let right: Spent<T> | null = null;
    for (const owner of owners.length > 0 ? owners : [{}]) right ??= await guess<T>(purpose, owner, code);
    return right;
  });

async function guess<T extends { code: string }>(purpose: string, owner: Owner, code: string): Promise<Spent<T> | null> {
  const found = await OneTimeToken.findOne({ where: { purpose, ...ofOwner(owner), ...stillGood() } });
  const digest = found?.digest ?? '';
  const [counted] = await OneTimeToken.update({ tries: literal('tries + 1') }, { where: { digest, tries: { [Op.lt]: GUESSES } } });
  const grant = found && grantOf<T>(found);
  if (counted === 0 || grant?.data.code !== code) return null;
  return (await OneTimeToken.destroy({ where: { digest } })) > 0 ? grant : null;
}

/** True for the first who names this id, false ever after: for what was never handed out as a token. Remembered for so many seconds. */
export async function isFirst(purpose: string, id: string, seconds: number): Promise<boolean> {
  try {
    await OneTimeToken.create({ digest: digestOf(purpose, id), purpose, expiresAt: inSeconds(seconds) });
    return true;
  } catch (error) {
    if (error instanceof UniqueConstraintError) return false;
    throw error;
  }
}

/** Forgets what has expired. */
export async function purgeTokens(): Promise<void> {
  await purge((limit) => OneTimeToken.destroy({ where: { expiresAt: { [Op.lt]: sharedTime() } }, limit }));
}
