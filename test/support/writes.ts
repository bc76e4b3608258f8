import { col, DataTypes, fn, Op, where, type WhereOptions } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { digestOf, newKey } from '#src/api-keys/key';
import { resumeApiKey } from '#src/api-keys/use';
import type { Context } from '#src/context';
import { issueToken, readShortCode, spendToken } from '#src/one-time-tokens/one-time-tokens';
import { strategyCodes } from '#src/one-time-tokens/strategy-codes';
import { strategyStore } from '#src/one-time-tokens/strategy-store';
import { digestOf as digestOfPasskey, noteUse } from '#src/passkeys/use';
import { queueMail } from '#src/platform/mail/outbox';
import { takeNext } from '#src/platform/mail/deliver';
import { databaseStore } from '#src/platform/limits/database-store';
import { endSessions } from '#src/sessions/end-sessions';
import { findSessionWithUser } from '#src/sessions/find-session';
import { noteUse as noteSeen } from '#src/sessions/last-seen';
import { refreshSession } from '#src/sessions/refresh';
import { refreshTokenOf } from '#src/sessions/refresh-tokens';
import { startSession } from '#src/sessions/start-session';
import { touchSession } from '#src/sessions/touch-session';
import { createUser } from '#src/users/create-user';

/** One kind of write, the i-th time. */
type Write = (i: number) => Promise<unknown>;

const mail = { template: 'test', subject: 'Test', goodFor: 3600, parts: ['Test'] };

/** Every kind of write of the server, by name. Each may be made any number of times, one after the other. */
export async function serverWrites(ctx: Context): Promise<Record<string, Write>> {
  const { db } = ctx;
  const user = await createUser(ctx, { username: { display: 'ada', canonical: 'ada' } });
  const start = () =>
    startSession(ctx, user, {}, { strategy: 'local', amr: ['pwd'] }, async () => {});
  const [session, touched] = [await start(), await start()];
  const key = newKey();
  await db.ApiKey.create({
    id: uuid(),
    userId: user.id,
    name: 'key',
    digest: digestOf(key),
    last4: '0000',
    scopes: 'user',
  });
  const factor = { id: uuid(), userId: user.id, kind: 'passkey', name: 'key', confirmedAt: new Date(), createdAt: new Date() }; // prettier-ignore
  await db.Factor.create(factor);
  const passkey = await db.Passkey.create({
    factorId: factor.id,
    digest: digestOfPasskey('id'),
    credentialId: 'id',
    publicKey: 'key',
    counter: 0,
    transports: 'usb',
    deviceType: 'multiDevice',
    backedUp: true,
    aaguid: uuid(),
  });
  let signatures = 0;
  const limits = databaseStore(db);
  const store = strategyStore(ctx, 'test');
  const codes = strategyCodes(ctx, 'test');
  const rule = { max: 3, window: 60_000 };
  return {
    refresh: (generation) =>
      refreshSession(ctx, refreshTokenOf(ctx, { id: session.id, generation }), {}),
    touch: () => touchSession(ctx, refreshTokenOf(ctx, { id: touched.id, generation: 0 }), {}),
    async 'last seen'(i) {
      const found = (await findSessionWithUser(ctx, touched.id))!.session;
      const used = { ...found, lastSeenAt: new Date(0), acknowledged: i % 2 === 0 };
      ctx.lastSeenWrites.clear();
      await noteSeen(ctx, used, 0);
    },
    async 'sign in and out'() {
      await endSessions(ctx, { id: (await start()).id }, 'signed_out');
    },
    async limits(i) {
      const id = String(i % 500).padStart(32, '0');
      const all = Array.from({ length: i % 2 ? 3 : 5 }, (_, n) => ({
        id: `${n}${id.slice(1)}`,
        rule,
      }));
      await limits.hit(all, Date.now());
      if (i % 3 === 0) await limits.takeBack(all);
      if (i % 5 === 0) await limits.forget([id]);
    },
    async 'one-time token'() {
      await spendToken(ctx, 'test', await issueToken(ctx, 'test', 60, { userId: user.id }));
    },
    async 'short code'(i) {
      if (i % 5 === 0) await issueToken(ctx, 'code', 60, { userId: user.id, data: { code: '1' } });
      await readShortCode(ctx, 'code', [{ userId: user.id }], '2');
      if (i % 5 === 4)
        await db.OneTimeToken.destroy({ where: { purpose: 'code', userId: user.id } });
    },
    async 'strategy store'(i) {
      await store.put('key', i, 60);
      if (i % 2 === 0) await store.take('key');
    },
    async 'strategy code'(i) {
      const recipient = `somebody${i % 3}`;
      const sent = await codes.issue({ recipient, userId: user.id, ttlSeconds: 60 });
      await codes.redeem(sent.requestToken, i % 2 === 0 ? sent.code : 'wrong');
    },
    async mail() {
      await queueMail(ctx, 'ada@example.com', mail);
      await (await takeNext(ctx))?.destroy();
    },
    passkey: (i) =>
      noteUse(ctx, passkey, {
        counter: ++signatures,
        deviceType: 'multiDevice',
        backedUp: i % 2 === 0,
      }),
    async 'API key'() {
      await db.ApiKey.update({ lastUsedAt: new Date(0) }, { where: { userId: user.id } });
      await resumeApiKey(ctx, key);
    },
    name: (i) => user.update({ name: `Ada ${i}` }),
  };
}

/** Writes of an app that embeds the server, by its own model. Each changes the one row that there is, and no other. */
export async function appWrites({ db: { sequelize } }: Pick<Context, 'db'>) {
  const Thing = sequelize.define(
    'thing',
    {
      n: DataTypes.INTEGER,
      big: DataTypes.BIGINT,
      price: DataTypes.DECIMAL(10, 2),
      name: DataTypes.STRING,
      on: DataTypes.BOOLEAN,
      at: DataTypes.DATE(3),
      bytes: DataTypes.BLOB,
      details: DataTypes.JSON,
      done: DataTypes.INTEGER,
    },
    { timestamps: false },
  );
  await Thing.sync({ force: true });
  const text = "it's $1, $$ and ? \\ % 😀";
  const big = String(Number.MAX_SAFE_INTEGER);
  const row = {
    n: 5,
    big,
    price: '9.99',
    name: text,
    on: true,
    at: new Date(5),
    details: { a: 1 },
  };
  await Thing.create({ ...row, bytes: Buffer.from([0, 39, 255]), done: 0 });
  await Thing.create({ n: 1e6, name: 'other', done: 0, big: 1, price: 1e6, at: new Date(1e12) });
  const conditions: Record<string, (i: number) => object> = {
    greater: (i) => ({ n: { [Op.gt]: -i, [Op.lte]: 5 + i } }),
    between: (i) => ({ n: { [Op.between]: [-i, 5 + i] } }),
    'not between': (i) => ({ n: { [Op.notBetween]: [6, 1e9 + i] } }),
    in: (i) => ({ n: [5, ...Array.from({ length: i % 7 }, (_, each) => -i - each)] }),
    'in many': (i) => ({
      n: [5, ...Array.from({ length: 60 + (i % 90) }, (_, each) => -i - each)],
    }),
    'not in': (i) => ({ n: { [Op.notIn]: [-i, -1 - i, 1e6] } }),
    'not equal': (i) => ({ n: { [Op.ne]: 1e6 }, name: { [Op.ne]: `thing $${i}` } }),
    'a date': (i) => ({ at: { [Op.lt]: new Date(6 + i), [Op.gte]: new Date(-i) } }),
    'a big number': (i) => ({ big: { [Op.gte]: String(BigInt(big) - BigInt(i)) } }),
    'a decimal': (i) => ({ price: { [Op.gte]: (9.99 - i).toFixed(2), [Op.lt]: '9.991' } }),
    like: (i) => ({ name: { [Op.like]: `it%${i % 2 ? '?' : '$1'}%` } }),
    'starts with': (i) => ({
      name: { [Op.startsWith]: "it's $1, $$ and ?".slice(0, 3 + (i % 14)) },
    }),
    or: (i) => ({
      [Op.or]: [{ n: { [Op.lt]: -i } }, { name: { [Op.or]: [null, { [Op.gt]: `a ${i}` }] }, n: 5 }],
    }),
    not: (i) => ({ [Op.not]: { n: { [Op.gt]: 5 + i } } }),
    null: (i) => ({ on: { [Op.not]: null }, n: { [Op.lt]: 6 + i } }),
    boolean: (i) => ({ on: { [Op.is]: true }, n: { [Op.lt]: 6 + i } }),
    bytes: (i) => ({ bytes: { [Op.lte]: Buffer.from([0, 39, 255, i % 256]) } }),
    'a function': (i) => ({
      [Op.and]: [where(fn('length', col('name')), Op.gt, -i), { n: { [Op.lt]: 6 + i } }],
    }),
  };
  const write = (condition: (i: number) => object) => async (i: number) => {
    const [changed] = await Thing.update({ done: i + 1 }, { where: condition(i) as WhereOptions });
    if (changed !== 1)
      throw new Error(`it changed ${changed} rows: ${JSON.stringify(condition(i))}`);
  };
  const writes = Object.entries(conditions).map(([name, each]) => [name, write(each)] as const);
  return {
    Thing,
    text,
    writes: {
      ...Object.fromEntries(writes),
      'a text of its own': (i: number) =>
        sequelize.query(`UPDATE things SET done = $1 WHERE n < ${6 + i}`, { bind: [i] }),
    } as Record<string, Write>,
  };
}
