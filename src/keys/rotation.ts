import { createHash, generateKeyPair, type KeyObject } from 'node:crypto';
import { promisify } from 'node:util';
import { Op, UniqueConstraintError } from 'sequelize';
import { SigningKey, transaction } from '#models/index';
import { config } from '#src/config';
import { emit } from '#src/core/events';
import { seal, unseal } from '#src/core/secrets';
import { holdKeys, keyOf, PURPOSE, type Key } from '#src/keys/keys';
import { livesOf, stateOf, type Life } from '#src/keys/life';

/** How long a key signs before the next one is made, in milliseconds. */
const ROTATE_AFTER = 30 * 24 * 3600 * 1000;
/** How often a token with a key that is not known may make this node look for new ones, in milliseconds. */
const LOOK_AGAIN = 5000;

const generate = promisify(generateKeyPair);
const inOrder = { order: [['sequence', 'ASC']] } satisfies Parameters<typeof SigningKey.findAll>[0];
const nextAfter = (last: SigningKey | undefined) => (last?.sequence ?? -1) + 1;
const mine = (rows: SigningKey[]) => rows.filter(({ algorithm }) => algorithm === config.JWT_ALG);

let tending: Promise<void> = Promise.resolve();

/**
 * Makes the next key when it is time, forgets those that are gone, and takes the rest into memory. At start and every half
 * minute, on every node; a key is known to all of them long before it signs. Calls take turns: none undoes a later reading.
 */
export const tendKeys = (): Promise<void> => (tending = tending.catch(() => {}).then(tend));

async function tend(): Promise<void> {
  let rows = await SigningKey.findAll(inOrder);
  if (config.JWT_ALG !== 'HS256' && isTime(mine(rows).at(-1))) {
    await add(await generateKey(config.JWT_ALG), mine(rows).at(-1));
    rows = await SigningKey.findAll(inOrder);
  }
  const now = Date.now();
  const lives = livesOf(rows);
  const good = lives.filter((life) => stateOf(life, now) !== 'gone');
  const gone = lives.filter((life) => !good.includes(life)).map(({ row }) => row.kid);
  if (gone.length > 0) await SigningKey.destroy({ where: { kid: gone } });
  holdKeys(good);
  if (config.APP_SECRET_PREVIOUS) for (const { row } of good) await sealAgain(row);
}
const isTime = (last: SigningKey | undefined) => !last || Date.now() - last.createdAt.getTime() > ROTATE_AFTER;

/**
 * The next key, which signs when every cache of our public keys has run out; the one that waits already, if there is one.
 * Of several callers at once, on any number of nodes, one makes it.
 */
export async function rotateKeys(): Promise<Life & { row: SigningKey }> {
  const algorithm = requireOwn();
  const find = async () => livesOf(mine(await SigningKey.findAll(inOrder))).at(-1);
  const last = await find();
  if (!last || stateOf(last, Date.now()) !== 'pending') await add(await generateKey(algorithm), last?.row);
  return (await find())!;
}

/** For keys that others may know: a new one signs at once, and whatever the others signed is refused. Nodes follow within half a minute. */
export async function replaceKeys(): Promise<void> {
  const algorithm = requireOwn();
  const [last] = await SigningKey.findAll({ where: { algorithm }, order: [['sequence', 'DESC']], limit: 1 });
  const fresh = await generateKey(algorithm);
  await transaction(async () => {
    await add(fresh, last);
    await SigningKey.destroy({ where: { [Op.not]: { algorithm, sequence: nextAfter(last) } } });
  });
}

function requireOwn() {
  if (config.JWT_ALG === 'HS256') throw new Error('With JWT_ALG=HS256 the key is JWT_SECRET: set another one.');
  return config.JWT_ALG;
}

let looked: { at: number; done: Promise<void> } | undefined;

/** A key that this node has not heard of yet, if there is one. Strangers can make it look only now and then. */
export async function newKey(kid: string): Promise<Key | undefined> {
  if (!/^[\w-]{43}$/.test(kid)) return undefined;
  if (!looked || performance.now() - looked.at > LOOK_AGAIN) looked = { at: performance.now(), done: tendKeys() };
  await looked.done;
  return keyOf(kid);
}

async function generateKey(algorithm: 'ES256' | 'RS256') {
  const { publicKey, privateKey } =
    algorithm === 'ES256' ? await generate('ec', { namedCurve: 'P-256' }) : await generate('rsa', { modulusLength: 3072 });
  const sealedPrivateKey = seal(PURPOSE, privateKey.export({ format: 'pem', type: 'pkcs8' }).toString());
  return { kid: thumbprint(publicKey), algorithm, sealedPrivateKey };
}

/** The unique index on (algorithm, sequence) is the lease: of several nodes that add the next key, one does. */
async function add(fresh: Awaited<ReturnType<typeof generateKey>>, last: SigningKey | undefined): Promise<void> {
  try {
    await transaction(() => SigningKey.create({ ...fresh, sequence: nextAfter(last) }));
    emit('key.made', { kid: fresh.kid, algorithm: fresh.algorithm });
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
  }
}

async function sealAgain({ kid, sealedPrivateKey }: SigningKey): Promise<void> {
  const { plain, stale } = unseal(PURPOSE, sealedPrivateKey);
  if (stale) await SigningKey.update({ sealedPrivateKey: seal(PURPOSE, plain) }, { where: { kid, sealedPrivateKey } });
}

/** RFC 7638: the required members in alphabetical order. */
function thumbprint(key: KeyObject): string {
  const { crv, e, kty, n, x, y } = key.export({ format: 'jwk' });
  return createHash('sha256')
    .update(JSON.stringify(kty === 'EC' ? { crv, kty, x, y } : { e, kty, n }))
    .digest('base64url');
}
