import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Op, UniqueConstraintError } from 'sequelize';
import type { SigningKey } from '#models/index';
import type { Context } from '#src/context';
import { holdKeys, keyOf, SIGNING_KEY_PURPOSE, type Key } from '#src/keys/keyring';
import { keySchedules, stateOf, type Scheduled } from '#src/keys/key-schedule';
import { DAY_MS, lifetimes } from '#src/lifetimes';
import type { Cause } from '#src/platform/events';
import type { Settings } from '#src/platform/settings/settings';

/** Unknown key ids make this node look for new keys once in this time, at most. */
const LOOK_AGAIN_MS = 5000;

const generate = promisify(generateKeyPair);
const nextAfter = (last: SigningKey | undefined) => (last?.sequence ?? -1) + 1;
const allKeys = ({ db }: Context) => db.SigningKey.findAll({ order: [['sequence', 'ASC']] });
const ofAlgorithm = ({ settings }: Context, rows: readonly SigningKey[]) =>
  rows.filter(({ algorithm }) => algorithm === settings.jwtAlg);

/**
 * Makes the next key when it is due, deletes keys that are gone, and takes the others into memory. Every node calls it
 * at start and every half minute, so all nodes know a key long before it signs. Calls run one after the other: an older
 * reading never replaces a newer one.
 */
export function tendKeys(ctx: Context): Promise<void> {
  const { keyring } = ctx;
  keyring.tending = keyring.tending.catch(() => {}).then(() => tend(ctx));
  return keyring.tending;
}

async function tend(ctx: Context): Promise<void> {
  const { db, settings, clock } = ctx;
  let rows = await allKeys(ctx);
  const last = ofAlgorithm(ctx, rows).at(-1);
  if (settings.jwtAlg !== 'HS256' && isDue(ctx, last)) {
    await add(ctx, await generateKey(ctx, settings.jwtAlg), last, { kind: 'server' });
    rows = await allKeys(ctx);
  }
  const now = clock.now();
  const schedules = keySchedules(settings, rows);
  const valid = schedules.filter((schedule) => stateOf(schedule, now) !== 'gone');
  const gone = schedules.filter((each) => !valid.includes(each)).map(({ row }) => row.kid);
  if (gone.length > 0) await db.SigningKey.destroy({ where: { kid: gone } });
  holdKeys(ctx, valid);
  if (settings.appSecretPrevious) for (const { row } of valid) await sealAgain(ctx, row);
}

const isDue = ({ clock }: Context, last: SigningKey | undefined) =>
  !last || clock.now() - last.createdAt.getTime() > lifetimes.signingKeyDays * DAY_MS;

/**
 * The next key. It signs when every cached copy of our public keys has expired. If a key is pending already, answers
 * that one. Of several callers at once, on any number of nodes, one makes it.
 */
export async function rotateKeys(ctx: Context): Promise<Scheduled> {
  const algorithm = ownAlgorithm(ctx.settings);
  const find = async () => keySchedules(ctx.settings, ofAlgorithm(ctx, await allKeys(ctx))).at(-1);
  const last = await find();
  if (!last || stateOf(last, ctx.clock.now()) !== 'pending')
    await add(ctx, await generateKey(ctx, algorithm), last?.row);
  return (await find())!;
}

/**
 * For keys that may have leaked: a new key signs at once, and tokens of all others are refused. Other nodes follow
 * within half a minute.
 */
export async function replaceKeys(ctx: Context): Promise<void> {
  const { db, settings } = ctx;
  const algorithm = ownAlgorithm(settings);
  const last = await db.SigningKey.findOne({
    where: { algorithm },
    order: [['sequence', 'DESC']],
  });
  const fresh = await generateKey(ctx, algorithm);
  await db.transaction(async () => {
    await add(ctx, fresh, last ?? undefined);
    const sequence = nextAfter(last ?? undefined);
    await db.SigningKey.destroy({ where: { [Op.not]: { algorithm, sequence } } });
  });
}

function ownAlgorithm({ jwtAlg }: Settings) {
  if (jwtAlg === 'HS256')
    throw new Error('With JWT_ALG=HS256 the key is JWT_SECRET: set another one.');
  return jwtAlg;
}

/** A key that another node may have made meanwhile. Unknown ids cannot make this node look more than now and then. */
export async function newKey(ctx: Context, kid: string): Promise<Key | undefined> {
  const { keyring } = ctx;
  if (!/^[\w-]{43}$/.test(kid)) return undefined;
  if (!keyring.looked || performance.now() - keyring.looked.at > LOOK_AGAIN_MS)
    keyring.looked = { at: performance.now(), done: tendKeys(ctx) };
  await keyring.looked.done;
  return keyOf(ctx, kid);
}

async function generateKey({ secrets }: Context, algorithm: 'ES256' | 'RS256') {
  const { publicKey, privateKey } =
    algorithm === 'ES256'
      ? await generate('ec', { namedCurve: 'P-256' })
      : await generate('rsa', { modulusLength: 3072 });
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  const sealedPrivateKey = secrets.seal(SIGNING_KEY_PURPOSE, pem);
  return { kid: thumbprint(publicKey), algorithm, sealedPrivateKey };
}

/** The unique index on (algorithm, sequence) is the lease: of several nodes that add the next key, one does. */
async function add(
  { db, events, clock }: Context,
  fresh: Awaited<ReturnType<typeof generateKey>>,
  last: SigningKey | undefined,
  cause?: Cause,
): Promise<void> {
  try {
    await db.transaction(async () => {
      const { kid, algorithm } = fresh;
      const sequence = nextAfter(last);
      await db.SigningKey.create({ ...fresh, sequence, createdAt: clock.date() });
      events.emit('key.made', { kid, algorithm }, cause);
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
  }
}

/** Encrypts a key under the current APP_SECRET that is encrypted under the previous one. */
async function sealAgain({ db, secrets }: Context, row: SigningKey): Promise<void> {
  const { kid, sealedPrivateKey } = row;
  const opened = secrets.unseal(SIGNING_KEY_PURPOSE, sealedPrivateKey);
  if (!opened?.stale) return;
  const sealed = secrets.seal(SIGNING_KEY_PURPOSE, opened.plain);
  await db.SigningKey.update({ sealedPrivateKey: sealed }, { where: { kid, sealedPrivateKey } });
}

/** RFC 7638: the required members in alphabetical order. */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256')
    .update(JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n }))
    .digest('base64url');
}
