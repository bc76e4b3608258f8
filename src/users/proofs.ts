import { randomInt } from 'node:crypto';
import type { User } from '#models/index';
import { replaceToken, type Owner } from '#src/core/one-time-tokens';
import { queueMail } from '#src/mail/queue';
import { linkTo, type Link } from '#src/mail/template';
import { VERIFY } from '#src/users/mail-tokens';

/** How long somebody may take to open a mail that asks for a confirmation, in seconds. */
export const LIFE = 24 * 3600;

export interface Proof {
  /** The canonical address that the mail goes to. */
  email: string;
  code: string;
}

/** What a mail holds that asks somebody to confirm their address: a link and a code. What was made for them before is void. */
export async function prepareProof(owner: Owner, email: string): Promise<{ link: Link; code: string }> {
  const code = String(randomInt(1_000_000)).padStart(6, '0');
  const token = await replaceToken(VERIFY, LIFE, { ...owner, data: { email, code } satisfies Proof });
  return { link: linkTo('/confirm-email', { token }), code };
}

/** Puts such a mail into the outbox, for a user whose address is not confirmed. */
export async function askToVerify({ id, email, emailCanonical, emailVerifiedAt }: User): Promise<void> {
  if (emailCanonical === null || emailVerifiedAt) return;
  await queueMail(email, 'verify-email', await prepareProof({ userId: id }, emailCanonical));
}
