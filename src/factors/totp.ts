import { Op } from 'sequelize';
import { z } from 'zod';
import type { Factor } from '#models/index';
import type { Context } from '#src/context';
import type { FactorKind } from '#src/factors/factor-kind';

/** RFC 6238, with what every authenticator app takes for granted. */
export const PROFILE = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
/** Steps before and after the current one whose codes are accepted: clocks differ, and people type slowly. */
const WINDOW = 1;
/** Purpose under which the secrets are encrypted. */
const SECRET_PURPOSE = 'totp secret';

export const TotpCode = z
  .string()
  .max(16)
  .transform((typed) => typed.replaceAll(' ', ''))
  .pipe(z.string().regex(/^\d{6}$/, 'Six digits'))
  .meta({
    description: 'Six digits from an authenticator app. Spaces are ignored.',
    example: '287082',
  });

// Loaded when somebody uses it.
const library = () => import('otpauth');

/** A new secret, encrypted for storage, and how an authenticator app gets it. */
export async function newTotp({ secrets }: Context, { issuer, label }: TotpNames) {
  const { Secret, TOTP } = await library();
  const secret = new Secret({ size: 20 });
  const uri = new TOTP({ ...PROFILE, issuer, label, secret }).toString();
  const { base32 } = secret;
  return { sealed: secrets.seal(SECRET_PURPOSE, base32), secret: base32, uri };
}

/** Encrypts a secret in base 32 that was made elsewhere. */
export const sealSecret = ({ secrets }: Context, base32: string): string =>
  secrets.seal(SECRET_PURPOSE, base32);

/**
 * The secret of an authenticator app in base 32, for whoever moves to another database.
 * @throws {Error} when it was encrypted under an APP_SECRET that is gone
 */
export const unsealSecret = ({ secrets }: Context, sealed: string): string =>
  secrets.unseal(SECRET_PURPOSE, sealed).plain;

/** The time step of now. */
export const currentStep = ({ clock }: Context): number =>
  Math.floor(clock.now() / (PROFILE.period * 1000));

/** What an authenticator app shows beside the code. */
interface TotpNames {
  issuer: string;
  label: string;
}

/**
 * The time step of a right code, undefined for a wrong one. A code may be right and spent: `spendStep` knows.
 * @throws {Error} when the secret was encrypted under an APP_SECRET that is gone
 */
export async function stepOf(
  { clock, secrets }: Context,
  { secret }: Pick<Factor, 'secret'>,
  code: string,
): Promise<number | undefined> {
  if (secret === null) return undefined;
  const { Secret, TOTP } = await library();
  const { plain } = secrets.unseal(SECRET_PURPOSE, secret);
  const generator = new TOTP({ ...PROFILE, secret: Secret.fromBase32(plain) });
  const timestamp = clock.now();
  const delta = generator.validate({ token: code, timestamp, window: WINDOW });
  return delta === null ? undefined : generator.counter({ timestamp }) + delta;
}

const confirmed = { kind: 'totp', confirmedAt: { [Op.ne]: null } };

/** True once for each step, and never for one before (RFC 6238 §5.2). One conditional statement, so one of many wins. */
async function spendStep({ db, clock }: Context, id: string, step: number): Promise<boolean> {
  const unspent = { lastStep: { [Op.or]: [null, { [Op.lt]: step }] } };
  const [changed] = await db.Factor.update(
    { lastStep: step, lastUsedAt: clock.date() },
    { where: { id, ...confirmed, ...unspent } },
  );
  return changed > 0;
}

/** Codes of an authenticator app (RFC 6238). */
export const totp: FactorKind<string> = {
  name: 'totp',
  member: 'code',
  answer: TotpCode,
  isAvailable: async ({ db }, userId) =>
    (await db.Factor.count({ where: { userId, ...confirmed } })) > 0,
  async verify(ctx, { userId }, code) {
    for (const factor of await ctx.db.Factor.findAll({ where: { userId, ...confirmed } })) {
      const step = await stepOf(ctx, factor, code);
      if (step !== undefined && (await spendStep(ctx, factor.id, step))) return { amr: ['otp'] };
    }
    return null;
  },
};

/**
 * Encrypts the secrets again that are encrypted under APP_SECRET_PREVIOUS, so that the setting can go. One that was
 * replaced or removed meanwhile stays as it is.
 */
export async function sealFactorsAgain({ db, secrets }: Context): Promise<void> {
  const where = { secret: { [Op.ne]: null } };
  for (let last = ''; ;) {
    const found = await db.Factor.findAll({
      attributes: ['id', 'secret'],
      where: { ...where, id: { [Op.gt]: last } },
      order: ['id'],
      limit: 500,
    });
    for (const { id, secret } of found) {
      const { plain, stale } = secrets.unseal(SECRET_PURPOSE, secret!);
      if (stale)
        await db.Factor.update(
          { secret: secrets.seal(SECRET_PURPOSE, plain) },
          { where: { id, secret } },
        );
    }
    if (found.length < 500) return;
    last = found.at(-1)!.id;
  }
}
