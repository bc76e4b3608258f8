import { randomInt } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { Context } from '#src/context';
import type { FactorKind } from '#src/factors/factor-kind';
import { notifyRecoveryCodeUsed } from '#src/factors/notices';
import { digestOf } from '#src/one-time-tokens/one-time-tokens';

/** Crockford's base 32: no letter looks like a digit or like another letter. */
const DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
/** 80 bits. Nobody finds such a code from its digest, so the digest needs no key, and outlives a change of APP_SECRET. */
const LENGTH = 16;
const COUNT = 10;

/** How it is compared: in capitals, without dashes and spaces, and with digits in place of letters that look like them. */
const canonical = (typed: string) =>
  typed.toUpperCase().replaceAll(/[\s-]/g, '').replaceAll('O', '0').replaceAll(/[IL]/g, '1');

const RecoveryCode = z
  .string()
  .max(64)
  .transform(canonical)
  .pipe(z.string().regex(/^[0-9A-HJKMNP-TV-Z]{16}$/, 'Sixteen letters and digits'))
  .meta({
    description: 'One of your recovery codes. Case, dashes and spaces do not matter.',
    example: 'J3TN-0Q8W-XK5M-7ZBD',
  });

/** Of the user, too: the same code of somebody else has another digest. */
const digestFor = (userId: string, code: string) => digestOf('recovery code', `${userId} ${code}`);

function newCode(): string {
  const digits = Array.from({ length: LENGTH }, () => DIGITS[randomInt(DIGITS.length)]!);
  return digits.join('').replaceAll(/(.{4})(?!$)/g, '$1-');
}

/**
 * Ten new codes for a user, shown this once. Those before are void. Call it with the turn of the user's row: of several
 * sets that are made at once, the last one is valid.
 */
export async function replaceRecoveryCodes(
  { db, clock }: Context,
  userId: string,
): Promise<string[]> {
  const codes = Array.from({ length: COUNT }, newCode);
  const createdAt = clock.date();
  await db.RecoveryCode.destroy({ where: { userId } });
  await db.RecoveryCode.bulkCreate(
    codes.map((code) => ({
      id: uuid(),
      userId,
      digest: digestFor(userId, canonical(code)),
      createdAt,
    })),
  );
  return codes;
}

export const recoveryCodesLeft = ({ db }: Context, userId: string): Promise<number> =>
  db.RecoveryCode.count({ where: { userId } });

/** For whoever has lost everything else. Each code is deleted when it is used: of many callers, one deletes it. */
export const recoveryCodes: FactorKind<string> = {
  name: 'recovery_code',
  member: 'recoveryCode',
  answer: RecoveryCode,
  isAvailable: async (ctx, userId) => (await recoveryCodesLeft(ctx, userId)) > 0,
  async verify(ctx, { userId }, code) {
    const { db, events } = ctx;
    const where = { userId, digest: digestFor(userId, code) };
    if ((await db.RecoveryCode.destroy({ where })) === 0) return null;
    events.emit('recovery_code.used', { userId });
    await notifyRecoveryCodeUsed(ctx, userId, await recoveryCodesLeft(ctx, userId));
    return { amr: ['otp'] };
  },
};
