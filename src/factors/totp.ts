import { Op } from 'sequelize';
import { z } from 'zod';
import type { Factor } from '#models/index';
import type { Context } from '#src/context';
import type { FactorKind } from '#src/factors/factor-kind';
import type { Secrets } from '#src/platform/crypto/secrets';
import { Problem } from '#src/platform/http/problem';

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

/** The secret of an authenticator app in base 32. Undefined when it was encrypted under an APP_SECRET that is gone. */
export const unsealSecret = (
  { unseal }: Pick<Secrets, 'unseal'>,
  sealed: string,
): string | undefined => unseal(SECRET_PURPOSE, sealed)?.plain;

/** An authenticator app of a user. */
interface App {
  id: string;
  /** Base 32. */
  secret: string;
}

/** Those whose secrets this APP_SECRET opens. The log names each other one: nobody can check its codes any more. */
function readable(ctx: Context, factors: readonly Factor[]): App[] {
  return factors.flatMap(({ id, userId, secret: sealed }) => {
    const secret = unsealSecret(ctx.secrets, sealed!);
    if (secret !== undefined) return [{ id, secret }];
    const which = { userId, factorId: id };
    ctx.log.warn(which, 'an authenticator app was encrypted under another APP_SECRET');
    return [];
  });
}

/** The same, if there is one. @throws {Problem} 409 `factor_unreadable` if there are only others */
export function requireReadable(ctx: Context, factors: readonly Factor[]): App[] {
  const apps = readable(ctx, factors);
  if (factors.length > 0 && apps.length === 0) throw new Problem('factor_unreadable');
  return apps;
}

/** The time step of now. */
export const currentStep = ({ clock }: Context): number =>
  Math.floor(clock.now() / (PROFILE.period * 1000));

/** What an authenticator app shows beside the code. */
interface TotpNames {
  issuer: string;
  label: string;
}

/** The time step of a right code, undefined for a wrong one. A code may be right and spent: `spendStep` knows. */
export async function stepOf(
  { clock }: Context,
  { secret }: App,
  code: string,
): Promise<number | undefined> {
  const { Secret, TOTP } = await library();
  const generator = new TOTP({ ...PROFILE, secret: Secret.fromBase32(secret) });
  const timestamp = clock.now();
  const delta = generator.validate({ token: code, timestamp, window: WINDOW });
  return delta === null ? undefined : generator.counter({ timestamp }) + delta;
}

const confirmed = { kind: 'totp', confirmedAt: { [Op.ne]: null } };
const appsOf = ({ db }: Context, userId: string) =>
  db.Factor.findAll({ where: { userId, ...confirmed } });

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
  isAvailable: async (ctx, userId) => readable(ctx, await appsOf(ctx, userId)).length > 0,
  async verify(ctx, { userId }, code) {
    for (const app of requireReadable(ctx, await appsOf(ctx, userId))) {
      const step = await stepOf(ctx, app, code);
      if (step !== undefined && (await spendStep(ctx, app.id, step))) return { amr: ['otp'] };
    }
    return null;
  },
};

/**
 * Encrypts the secrets again that are encrypted under APP_SECRET_PREVIOUS, so that the setting can go. One that was
 * replaced or removed meanwhile stays as it is, and so does one that no APP_SECRET opens.
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
      const opened = secrets.unseal(SECRET_PURPOSE, secret!);
      if (opened?.stale)
        await db.Factor.update(
          { secret: secrets.seal(SECRET_PURPOSE, opened.plain) },
          { where: { id, secret } },
        );
    }
    if (found.length < 500) return;
    last = found.at(-1)!.id;
  }
}
