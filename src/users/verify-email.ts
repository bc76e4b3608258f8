import { randomInt } from 'node:crypto';
import { transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { replaceToken, spendShortCode, spendToken } from '#src/core/one-time-tokens';
import { Problem } from '#src/core/problem';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';
import type { Identifier } from '#src/users/identifiers';
import { CHANGE, VERIFY, voidMails } from '#src/users/mail-tokens';
import { refuseTaken } from '#src/users/taken';

/** How long somebody may take to open a mail, in seconds. */
const LIFE = 24 * 3600;

interface Proof {
  /** The canonical address that the mail went to. */
  email: string;
  code: string;
}
interface Move {
  from: string | null;
  to: Identifier;
}

/** Puts a mail with a link and a code into the outbox, for an address that is not confirmed. What was sent before is void. */
export async function askToVerify(user: User): Promise<void> {
  if (user.emailCanonical !== null && !user.emailVerifiedAt) await send(user);
}

/** Sends the mail again, if somebody waits for it. Nobody is told whether: the same statements run, and the mail goes to nobody. */
export async function resendVerification({ canonical }: Identifier): Promise<void> {
  if (!(await mayMail(canonical))) return;
  await transaction(async () => {
    await send(await User.findOne({ where: { emailCanonical: canonical, disabledAt: null, emailVerifiedAt: null } }));
  });
}

async function send(user: User | null): Promise<void> {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const token = await replaceToken(VERIFY, LIFE, {
    userId: user?.id ?? null,
    data: { email: user?.emailCanonical ?? '', code } satisfies Proof,
  });
  await queueMail(user?.email ?? null, 'verify-email', { link: linkTo('/confirm-email', { token }), code });
}

/**
 * Confirms an address by the token of a link, or by the code that came with it: one that somebody signed up with, or one that is to
 * take the place of another. Throws 400 `invalid_code`, 409 `email_taken`.
 */
export async function verifyEmail(proof: { token: string } | { email: Identifier; code: string }): Promise<void> {
  const done = 'token' in proof ? ((await byLink(proof.token)) ?? (await move(proof.token))) : await byCode(proof.email, proof.code);
  if (!done) throw new Problem('invalid_code');
}

const byLink = (token: string): Promise<boolean | null> =>
  transaction(async () => {
    const grant = await spendToken<Proof>(VERIFY, token);
    return grant && confirm(grant.userId!, grant.data.email);
  });

/** A wrong guess counts, so it is no part of what is undone when the confirmation fails. */
async function byCode({ canonical }: Identifier, code: string): Promise<boolean> {
  const user = await User.findOne({ attributes: ['id'], where: { emailCanonical: canonical } });
  const grant = await spendShortCode<Proof>(VERIFY, user?.id, code);
  return grant !== null && confirm(grant.userId!, grant.data.email);
}

/** Only the address that the mail went to: another one may have taken its place. */
async function confirm(id: string, emailCanonical: string): Promise<boolean> {
  const where = { id, emailCanonical, emailVerifiedAt: null, disabledAt: null };
  const [rows] = await User.update({ emailVerifiedAt: new Date() }, { where });
  if (rows === 1) emit('user.email_verified', { userId: id });
  return rows === 1;
}

/** Prepares an address to take the place of another, and answers the token that its owner is to be mailed. What was prepared before is void. */
export const prepareMove = (userId: string, data: Move): Promise<string> => replaceToken(CHANGE, LIFE, { userId, data });

const move = (token: string): Promise<boolean> =>
  refuseTaken(() =>
    transaction(async () => {
      const grant = await spendToken<Move>(CHANGE, token);
      if (!grant) return false;
      const { userId, data } = grant;
      const moved = { email: data.to.display, emailCanonical: data.to.canonical, emailVerifiedAt: new Date() };
      const [rows] = await User.update(moved, { where: { id: userId!, emailCanonical: data.from, disabledAt: null } });
      if (rows === 0) return false;
      await voidMails(userId!);
      emit('user.email_changed', { userId: userId! });
      return true;
    }),
  );
