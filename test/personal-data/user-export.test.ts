import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text as textOf } from 'node:stream/consumers';
import type { Model } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { exportUser } from '#src/personal-data/export-user';
import { UserExport } from '#src/personal-data/user-export';
import { password } from '#test/support/app';
import { wait } from '#test/support/clock';
import { commandLine, speaking } from '#test/support/command';
import { startLimited, statuses, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { startPasskeys } from '#test/support/passkeys';
import { addApp } from '#test/support/second-factor';
import { folderOf } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
mailbox.answer('RCPT', 450); // mails stay in the queue
const app = await startPasskeys({ ...mailbox.env, API_KEYS: 'on', TRUST_PROXY: '1' });
const { ask, auth, ctx, env, register, owner, proveAgain } = app;
const { does, refuses } = speaking(commandLine(env));
afterEach(() => {
  vi.useRealTimers();
});

const SECRET = 'secret, or derived from one';
const SAME = 'another form of what is exported';
const INNER = 'how the server keeps its books';
const OTHERS = 'data of somebody else';
const PARENT = 'the document is about this one user';

/** What the export has of each table. */
const EXPORTED: Record<string, string[]> = {
  User: [
    'id',
    'username',
    'email',
    'emailVerifiedAt',
    'name',
    'locale',
    'disabledAt',
    'createdAt',
    'updatedAt',
  ],
  UserRole: ['createdAt'],
  UserNumber: ['id'],
  Identity: ['id', 'provider', 'subject', 'email', 'createdAt'],
  Session: [
    'id',
    'strategy',
    'amr',
    'deviceKind',
    'deviceName',
    'devicePlatform',
    'userAgent',
    'ip',
    'createdAt',
    'lastSeenAt',
    'rotatedAt',
    'authenticatedAt',
    'aal2At',
    'expiresAt',
    'endedAt',
    'updatedAt',
  ],
  Factor: ['id', 'kind', 'name', 'createdAt', 'confirmedAt', 'lastUsedAt'],
  Passkey: ['credentialId', 'counter', 'transports', 'deviceType', 'backedUp', 'aaguid'],
  RecoveryCode: [],
  ApiKey: ['id', 'name', 'scopes', 'last4', 'expiresAt', 'lastUsedAt', 'createdAt'],
  OneTimeToken: ['purpose', 'createdAt', 'expiresAt'],
  Invitation: ['id', 'name', 'roles', 'createdAt', 'expiresAt'],
  OutgoingMail: ['template', 'createdAt', 'expiresAt'],
  AuditEntry: [
    'seq',
    'id',
    'type',
    'version',
    'actor',
    'actorKind',
    'onBehalfOf',
    'subject',
    'sessionId',
    'ip',
    'requestId',
    'details',
    'createdAt',
  ],
};
/** What it leaves out, and why. */
const LEFT_OUT: Record<string, Record<string, string>> = {
  User: {
    usernameCanonical: SAME,
    emailCanonical: SAME,
    passwordHash: SECRET,
    factors: 'the number of the factors that are exported',
    turn: INNER,
  },
  UserRole: { userId: PARENT, roleId: 'the name is exported' },
  UserNumber: { userId: PARENT },
  Identity: { userId: PARENT, sealedGrant: SECRET },
  Session: {
    actorId: OTHERS,
    actorSessionId: OTHERS,
    actorName: OTHERS,
    actorReason: OTHERS,
    dpopKey: 'the digest of a public key: it says nothing',
    userId: PARENT,
    generation: INNER,
    acknowledged: INNER,
    turn: INNER,
  },
  Factor: { userId: PARENT, secret: SECRET, lastStep: INNER },
  Passkey: { factorId: PARENT, digest: SAME, publicKey: 'a key: it proves, and says nothing' },
  RecoveryCode: {
    id: INNER,
    userId: PARENT,
    digest: SECRET,
    createdAt: 'their number is exported',
  },
  ApiKey: { userId: PARENT, digest: SECRET },
  OneTimeToken: {
    digest: SECRET,
    userId: PARENT,
    signUpId: 'of a sign-up, which is no user',
    data: SECRET,
    attempts: INNER,
  },
  Invitation: {
    email: OTHERS,
    emailCanonical: OTHERS,
    digest: SECRET,
    invitedBy: 'of those they sent: themselves; of those they got: somebody else',
  },
  OutgoingMail: { id: INNER, encryptedPayload: SECRET, attempts: INNER, nextAttemptAt: INNER },
  AuditEntry: { keyId: INNER, mac: INNER, hash: INNER },
};
/** Tables whose rows are copies of what is exported. */
const COPIES: Record<string, string> = {
  WebhookDelivery: 'entries of the audit trail, as receivers are told of them. Kept for 30 days',
};
/** Tables that hold nothing of a user. */
const NOBODYS: Record<string, string> = {
  Role: 'names and permissions',
  SigningKey: 'keys of the server',
  Limit: 'counters under keyed digests, which say nothing of whom they count',
  SignUp: 'somebody who has given an address, and has not proved that it is theirs. A day',
  AuditChain: 'the ends of the audit trail',
  AuditDay: 'the days of the audit trail',
  AuditKey: 'keys of the server',
  Service: 'other services, and digests of their secrets',
  Webhook: 'receivers of events, and their secrets',
  WebhookCursor: 'a place in the audit trail',
};

const read = async (person: { ask: typeof ask }) => {
  const { status, text, body } = await person.ask('GET', '/me/export');
  expect(status, text).toBe(200);
  return { text, body };
};

/** Somebody of whom there is a row in every table. */
async function everything() {
  const email = 'everything@example.com';
  const ada = await owner({}, { username: 'everything', email, name: 'Ada Lovelace' });
  const { id: userId } = ada;
  await ctx.db.User.update({ emailVerifiedAt: new Date() }, { where: { id: userId } });
  await addApp(ctx, ada);
  await proveAgain(ada, ada.authenticator);
  await auth.roles.grant(userId, 'moderator');
  await ctx.db.UserNumber.create({ userId });
  await ctx.db.Identity.create({
    id: uuid(),
    userId,
    provider: 'github',
    subject: 'subject-4711',
    email: 'ada@github.example',
    sealedGrant: ctx.secrets.seal('provider grant', 'grant-of-ada'),
  });
  const again = await ask('POST', '/auth/login', {
    body: { email, password },
    headers: { 'x-forwarded-for': '203.0.113.77', 'user-agent': 'Everything/1.0' },
  });
  expect(again.body.code).toBe('mfa_required'); // so there is a pending token
  const session = await ctx.db.Session.create({
    id: uuid(),
    userId,
    strategy: 'local',
    amr: 'pwd mfa',
    expiresAt: new Date(),
    deviceKind: 'mobile',
    deviceName: 'Ada’s phone',
    devicePlatform: 'iOS',
    ip: '203.0.113.78',
    userAgent: 'Everything/2.0',
    lastSeenAt: new Date(),
    rotatedAt: new Date(1),
    authenticatedAt: new Date(2),
    aal2At: new Date(3),
    endedAt: new Date(),
  });
  const key = await ada.ask('POST', '/me/api-keys', {
    body: { name: 'nightly', scopes: ['user'] },
  });
  expect(key.status, key.text).toBe(201);
  await ask('GET', '/me', { headers: { 'x-api-key': key.body.key } });
  await ask('POST', '/auth/password/forgot', { body: { email } });
  const soon = new Date(Date.now() + 60_000);
  await ctx.db.Invitation.bulkCreate([
    {
      id: uuid(),
      email,
      emailCanonical: email,
      name: 'Countess',
      roles: 'user press',
      digest: 'a'.repeat(64),
      expiresAt: soon,
    },
    {
      id: uuid(),
      email: 'bob@example.com',
      emailCanonical: 'bob@example.com',
      roles: 'user',
      digest: 'b'.repeat(64),
      invitedBy: userId,
      expiresAt: soon,
    },
  ]);
  return { ...ada, session, key: key.body.key as string };
}

describe('GET /me/export', () => {
  it('is for the signed-in user, with full access, who has just proved who they are', async () => {
    expect(await ask('GET', '/me/export')).toMatchObject({ status: 401 });
    const ada = await register();
    const { body } = await ada.ask('POST', '/me/api-keys', { body: { name: 'x' } });
    const headers = { 'x-api-key': body.key as string };
    expect(await ask('GET', '/me/export', { headers })).toMatchObject({ status: 403 });
    wait(5 * 60_000 + 1000);
    expect(await ada.ask('GET', '/me/export')).toMatchObject({
      status: 403,
      body: { code: 'step_up_required', maxAge: 300 },
    });
    await ada.ask('POST', '/auth/reauthenticate', { body: { password } });
    expect((await ada.ask('GET', '/me/export')).status).toBe(200);
  });

  it('wants two factors of who has a second one', async () => {
    const ada = await register();
    await addApp(ctx, ada);
    await ctx.db.Session.update({ aal2At: null }, { where: { userId: ada.id } });
    expect(await ada.ask('GET', '/me/export')).toMatchObject({
      status: 403,
      body: { code: 'step_up_required', acrValues: ['aal2'] },
    });
  });

  it('is refused to a session that asks too often', async () => {
    const limited = await startLimited();
    const { token, ip } = await limited.member();
    const get = () => limited.ask('GET', '/me/export', { token, ...limited.from(ip) });
    expect(statuses(await times(5, get))).toEqual([200]);
    expect(await get()).toMatchObject({ status: 429, body: { code: 'rate_limited' } });
  });

  it('takes no parameters', async () => {
    const ada = await register();
    expect((await ada.ask('GET', `/me/export?user=${uuid()}`)).status).toBe(400);
  });

  it('answers HEAD without the document', async () => {
    const ada = await register();
    const { status, text } = await ada.ask('HEAD', '/me/export');
    expect([status, text]).toEqual([200, '']);
  });

  it('is one JSON document, as OpenAPI describes it, to be saved as a file', async () => {
    const { status, headers, body } = await (await register()).ask('GET', '/me/export');
    expect([status, headers.get('content-type'), headers.get('content-disposition')]).toEqual([
      200,
      'application/json; charset=utf-8',
      'attachment; filename=export.json',
    ]);
    expect(body).toMatchObject({ format: 'sallyport-user-export', version: 1, consents: [] });
    expect(UserExport.parse(body)).toEqual(body);
  });

  it('has everything of the user that the lists above name, and no secret', async () => {
    const ada = await everything();
    const bob = await register({ username: 'somebody-else', email: 'bob2@example.com' });
    const { text, body } = await read(ada);
    expect(UserExport.parse(body)).toEqual(body);
    const missing: string[] = [];
    for (const [name, rows] of Object.entries(await rowsOfUser(ada.id))) {
      expect(rows.length, name).toBeGreaterThan(0);
      for (const row of rows) {
        for (const column of EXPORTED[name]!) {
          const value: unknown = row.get(column);
          if (!isIn(text, column, value)) missing.push(`${name}.${column}: ${String(value)}`);
        }
        for (const [column, why] of Object.entries(LEFT_OUT[name]!))
          if (why === SECRET && row.get(column) !== null)
            expect(text, `${name}.${column}`).not.toContain(String(row.get(column)));
      }
    }
    expect(missing).toEqual([]);
    const { mails, pendingTokens, invitationsSent } = body as UserExport;
    expect(mails.map(({ template }) => template)).toContain('reset-password');
    expect(pendingTokens.map(({ purpose }) => purpose).sort()).toEqual([
      'reset password',
      'second factor',
    ]);
    expect(invitationsSent).toHaveLength(1);
    for (const others of [bob.id, 'somebody-else', 'bob2@example.com', 'bob@example.com'])
      expect(text).not.toContain(others);
    for (const secret of [ada.key, password, 'grant-of-ada', ...ada.recoveryCodes])
      expect(text).not.toContain(secret);
  });

  it('tells of others neither who they are nor from where they came', async () => {
    const [admin, ada] = [await register({}, 'admin'), await register()];
    await admin.ask('DELETE', `/admin/users/${ada.id}/factors`);
    const { text } = await read(ada);
    expect(text).not.toContain(admin.id);
  });

  it('writes lists that are longer than a page, each row once and in order', async () => {
    const ada = await register();
    const expiresAt = new Date();
    const rows = Array.from({ length: 1100 }, () => ({
      id: uuid(),
      userId: ada.id,
      strategy: 'local',
      expiresAt,
      endedAt: expiresAt,
      userAgent: 'x'.repeat(255),
    }));
    await ctx.db.Session.bulkCreate(rows);
    const { body } = await read(ada);
    const ids = (body as UserExport).sessions.map(({ id }) => id);
    expect(new Set(ids)).toEqual(new Set([...rows.map(({ id }) => id), ada.tokens.session.id]));
    expect(ids).toEqual(ids.toSorted());
    let longest = 0;
    for await (const piece of await exportUser(ctx, ada.id))
      longest = Math.max(longest, piece.length);
    expect(longest).toBeLessThan(501 * 1000);
  });
});

/** The rows of a user, by model. */
async function rowsOfUser(userId: string): Promise<Record<string, Model[]>> {
  const { db } = ctx;
  const found: Record<string, Model[]> = {};
  const { email } = (await db.User.findByPk(userId))!;
  for (const name of Object.keys(EXPORTED)) {
    const model = (db as unknown as Record<string, { findAll(o: object): Promise<Model[]> }>)[
      name
    ]!;
    const where: Record<string, object> = {
      User: { id: userId },
      Passkey: { factorId: (await db.Factor.findAll()).map(({ id }) => id) },
      Invitation: { email },
      OutgoingMail: {},
      AuditEntry: { subject: userId },
    };
    found[name] = await model.findAll({ where: where[name] ?? { userId } });
  }
  return found;
}

function isIn(text: string, column: string, value: unknown): boolean {
  if (value === null || value === undefined || value === '') return true;
  if (value instanceof Date) return text.includes(`"${value.toISOString()}"`);
  if (['amr', 'scopes', 'roles', 'transports'].includes(column))
    return (value as string).split(' ').every((word) => text.includes(`"${word}"`));
  if (column === 'details') return text.includes((value as string).slice(0, -1));
  return text.includes(typeof value === 'string' ? JSON.stringify(value) : `${value as number}`);
}

it('every column of every table is in the export, or left out for a reason', () => {
  const columns = Object.entries(ctx.db.models).flatMap(([name, model]) =>
    name in NOBODYS || name in COPIES
      ? []
      : Object.keys(model.rawAttributes).map((column) => `${name}.${column}`),
  );
  const known = Object.keys(EXPORTED).flatMap((name) =>
    [...EXPORTED[name]!, ...Object.keys(LEFT_OUT[name]!)].map((column) => `${name}.${column}`),
  );
  expect(columns.toSorted(), 'say here whether GET /me/export has it').toEqual(known.toSorted());
  const models = Object.keys(ctx.db.models);
  expect(Object.keys(NOBODYS).filter((name) => !models.includes(name))).toEqual([]);
});

it('no table that is said to hold nothing of a user refers to one', () => {
  for (const name of Object.keys(NOBODYS)) {
    const model = ctx.db.models[name as keyof typeof ctx.db.models];
    const columns = Object.entries(model.rawAttributes);
    for (const [column, { references }] of columns) {
      expect(references, `${name}.${column}`).toBeUndefined();
      expect(column, name).not.toMatch(/user(Id)?$|^(actor|subject|owner|by)$|By$/i);
    }
  }
});

describe('auth.users.export and user export --of', () => {
  it('know no stranger', async () => {
    await expect(auth.users.export('nobody-of-that-name')).rejects.toMatchObject({
      code: 'not_found',
    });
    await refuses('user export --of nobody-of-that-name', /There is no such user/);
  });

  it('write the same document', async () => {
    const { id, username, ...ada } = await register({ username: 'exported', name: 'Ada' });
    const { body } = await read(ada);
    const told = JSON.parse(await textOf(await auth.users.export(username)));
    const printed = JSON.parse(await does(`user export --of ${id}`));
    const file = join(folderOf({}), 'ada.json');
    expect(await does(`user export --of ${username} ${file}`)).toBe('exported is written.\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const written = JSON.parse(readFileSync(file, 'utf8'));
    const steady = { ...body, exportedAt: expect.any(String), audit: expect.any(Array) };
    for (const each of [told, printed, written]) expect(each).toEqual(steady);
    await refuses(
      `user export --of ${username} --with-password-hashes`,
      /--of writes no password hashes/,
    );
  });
});
