import type { WhereOptions } from 'sequelize';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AuditEntry } from '#models/index';
import { macOf, type EntryFields } from '#src/audit/entry';
import { sealedAfter } from '#src/audit/read';
import { sealAll } from '#src/audit/sealing-worker';
import { password, startApp } from '#test/support/app';
import { rowsOf } from '#test/support/process';

const { ctx, ask, auth, databaseUrl, register, logIn } = await startApp();
const { AuditEntry: Entry } = ctx.db;
const entries = (where: WhereOptions<AuditEntry>) => Entry.findAll({ where, order: ['id'] });
const newest = async (where: WhereOptions<AuditEntry>) => (await entries(where)).at(-1)!;
const detailsOf = ({ details }: AuditEntry) => JSON.parse(details) as object;
const broken = new Error('on purpose');
const requestId = 'a-request-of-this-test';
const headers = { 'x-request-id': requestId };

describe('an entry of the audit trail', () => {
  it('says of a sign-in who, from where, in which session and in which request', async () => {
    const ada = await register();
    const body = { identifier: ada.username, password };
    const { body: tokens } = await ask('POST', '/auth/login', { body, headers });
    const entry = await newest({ type: 'session.started', subject: ada.id });
    expect(entry.get()).toMatchObject({
      version: 1,
      actor: ada.id,
      actorKind: 'user',
      onBehalfOf: null,
      sessionId: tokens.session.id,
      ip: '127.0.0.1',
      requestId,
    });
    expect(detailsOf(entry)).toMatchObject({ strategy: 'local', amr: ['pwd'], acr: 'aal1' });
  });

  it('says of a failed sign-in whose it was, and that nobody proved to be them', async () => {
    const ada = await register();
    await logIn(ada.username, 'a wrong password');
    await logIn('nobody-has-this', 'a wrong password');
    const known = await newest({ type: 'session.refused', subject: ada.id });
    expect(known).toMatchObject({ actor: null, actorKind: 'anonymous', ip: '127.0.0.1' });
    const unknown = await newest({ type: 'session.refused' });
    expect(unknown).toMatchObject({ actor: null, actorKind: 'anonymous', subject: null });
    expect(detailsOf(unknown)).toEqual({ strategy: 'local', account: expect.any(String) });
  });

  it('names whoever was let in, and the user whom it is about', async () => {
    const [root, ada] = [await register({}, 'admin'), await register()];
    await ada.ask('PATCH', '/me', { body: { name: 'Ada' } });
    expect(await newest({ type: 'user.updated' })).toMatchObject({
      actor: ada.id,
      subject: ada.id,
      sessionId: ada.tokens.session.id,
    });
    await root.ask('DELETE', `/admin/users/${ada.id}/factors`);
    await auth.users.disable(ada.id);
    expect(await newest({ type: 'user.disabled' })).toMatchObject({
      actor: null,
      actorKind: 'server',
      subject: ada.id,
      requestId: null,
    });
  });

  it('names nobody for a refresh token that was stolen', async () => {
    const ada = await register();
    const refresh = (refreshToken: string) =>
      ask('POST', '/auth/refresh', { body: { refreshToken } });
    const second = (await refresh(ada.tokens.refreshToken)).body.refreshToken;
    await refresh((await refresh(second)).body.refreshToken);
    await refresh(ada.tokens.refreshToken);
    for (const type of ['session.reused', 'session.ended'])
      expect(await newest({ type, subject: ada.id }), type).toMatchObject({
        actor: null,
        actorKind: 'anonymous',
        sessionId: ada.tokens.session.id,
      });
  });

  it('has a MAC over all that it says', async () => {
    const { id, key } = ctx.audit.key();
    for (const entry of await Entry.findAll()) {
      const fields = entry.get() as unknown as EntryFields;
      expect([entry.keyId, entry.mac]).toEqual([id, macOf(key, fields)]);
      for (const name of Object.keys(fields).filter((each) => !/keyId|mac|seq|hash/.test(each))) {
        const other = name === 'createdAt' ? new Date(0) : 'another';
        expect(macOf(key, { ...fields, [name]: other }), name).not.toBe(entry.mac);
      }
    }
  });
});

describe('the entries of a transaction', () => {
  const made = (role: string) => ctx.events.emit('role.created', { role });
  const stored = (role: string) =>
    rowsOf(databaseUrl, `SELECT id FROM audit_entries WHERE details = '{"role":"${role}"}'`);

  it('are there with its commit, in order, and not before', async () => {
    await ctx.db.transaction(async () => {
      made('one');
      await ctx.db.transaction(async () => made('two'));
      expect(await stored('one')).toEqual([]);
    });
    expect(await stored('one')).toHaveLength(1);
    const last = (await entries({ type: 'role.created' })).slice(-2);
    expect(last.map(detailsOf)).toEqual([{ role: 'one' }, { role: 'two' }]);
  });

  it('are undone with it, or with the part that an app undoes', async () => {
    const undone = ctx.db.transaction(async () => {
      made('undone');
      throw broken;
    });
    await expect(undone).rejects.toBe(broken);
    await auth.transaction(async () => {
      made('whole');
      const part = auth.transaction(async () => {
        made('part');
        throw broken;
      });
      await expect(part).rejects.toBe(broken);
      await auth.transaction(async () => made('kept part'));
    });
    const counts = ['undone', 'whole', 'part', 'kept part'].map((role) => stored(role));
    expect((await Promise.all(counts)).map((rows) => rows.length)).toEqual([0, 1, 0, 1]);
  });

  it('undo it when they cannot be written', async () => {
    const heard: string[] = [];
    const ada = await register();
    const rename = (from: string, to: string) =>
      ctx.db.sequelize.query(`ALTER TABLE ${from} RENAME TO ${to}`);
    await rename('audit_entries', 'audit_elsewhere');
    onTestFinished(async () => void (await rename('audit_elsewhere', 'audit_entries')));
    const stop = ctx.events.onAny((name) => void heard.push(name));
    const before = await ctx.db.User.count();
    const missing = /audit_entries/;
    const username = `${ada.username}-two`;
    await expect(auth.users.create({ username, password })).rejects.toThrow(missing);
    await expect(auth.users.disable(ada.id)).rejects.toThrow(missing);
    await expect(auth.sessions.endAll(ada.id)).rejects.toThrow(missing);
    expect(await ctx.db.User.count()).toBe(before);
    expect((await ada.ask('GET', '/me')).status).toBe(200);
    expect(heard).toEqual([]);
    stop();
  });

  it('arrive whole, whatever is in them, one or many', async () => {
    const awkward = `"'\\ $1 ? %s \u0000\u0007\u001b[31m\u202e ä 😀 \ud800`;
    for (const count of [1, 3, 200]) {
      const at = await Entry.count();
      await ctx.db.transaction(async () => {
        for (let i = 0; i < count; i++) made(`${awkward}${i}`);
      });
      expect(await Entry.count()).toBe(at + count);
      const last = (await entries({ type: 'role.created' })).slice(-count);
      const expected = Array.from({ length: count }, (_, i) => ({ role: `${awkward}${i}` }));
      expect(last.map(detailsOf)).toEqual(expected);
    }
  });
});

describe('sealing', () => {
  it('gives every entry its place, once, in the order in which it happened', async () => {
    const told: number[] = [];
    onTestFinished(ctx.audit.onSealed(() => void told.push(1)));
    await sealAll(ctx);
    const all = await entries({});
    expect(all.map(({ seq }) => Number(seq))).toEqual(all.map((_, i) => i + 1));
    expect(told).toEqual([1]);
    await sealAll(ctx);
    expect(told).toEqual([1]);
    const ada = await register();
    await ada.ask('PATCH', '/me', { body: { name: 'Ada' } });
    await sealAll(ctx);
    const page = await sealedAfter(ctx, all.length, 2);
    const rest = await sealedAfter(ctx, page.at(-1)!.seq, 100);
    expect([...page, ...rest].map(({ type }) => type)).toEqual([
      'user.registered',
      'session.started',
      'user.updated',
    ]);
    expect(page[1]).toMatchObject({
      seq: all.length + 2,
      subject: ada.id,
      details: { strategy: 'local' },
    });
  });

  it('goes on behind an end that somebody changed, and says so', async () => {
    const before = (await sealedAfter(ctx, 0, 100_000)).length;
    await ctx.db.AuditChain.update({ tipSeq: before - 1 }, { where: {} });
    await register();
    await sealAll(ctx);
    await sealAll(ctx);
    const added = await sealedAfter(ctx, before, 100);
    expect(added.map(({ type }) => type)).toContain('audit.unproved');
    await register();
    await sealAll(ctx);
    const later = await sealedAfter(ctx, added.at(-1)!.seq, 100);
    expect(later.map(({ type }) => type)).toEqual(['user.registered', 'session.started']);
  });
});
