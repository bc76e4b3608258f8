import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { runProcess, settingsFor, startProcess } from '#test/support/process';
import { folderOf } from '#test/support/strategy-folder';

const settings = async (env: Record<string, string>) => settingsFor(await emptyDatabase(), env);
const plain = (name: string, more = '') => `
  import { z } from 'zod';
  import { Strategy } from 'passport-local';
  export default { name: '${name}', kind: 'login', summary: 'From outside', credentials: z.strictObject({ username: z.string(), password: z.string() }), ${more}
    create: ({ resolveUser }) => new Strategy((username, password, done) => {
      if (password !== 'open') return done(null, false);
      resolveUser({ subject: username, username }).then((user) => done(null, user), done);
    }),
  };`;
/** Node itself removes the types. */
const typed = `
  import type { Request } from 'express';
  import type { AuthStrategy } from 'sallyport/strategy';
  const strategy: AuthStrategy = {
    name: 'typed', kind: 'bearer', summary: 'From outside, with types', scheme: { type: 'apiKey', in: 'header', name: 'X-Who' },
    create: ({ resolveUser }) => ({
      async authenticate(this: any, req: Request) {
        const who = req.get('x-who');
        if (who === 'crash') return void setImmediate(() => { throw new Error('a callback that throws'); });
        if (who === 'late') return void setTimeout(() => { throw new Error('long after its answer'); }, 50), this.fail();
        return who ? this.success(await resolveUser({ subject: who })) : this.fail();
      },
    }),
  };
  export default strategy;`;

/** With what the package gives to strategies. They are those of the running server. */
const ours = `
  import { z } from 'zod';
  import { custom, defineStrategy, step } from 'sallyport/strategy';
  import { strategyConformance } from 'sallyport/conformance';
  if (typeof strategyConformance !== 'function') throw new Error('no kit');
  export default defineStrategy({
    name: 'ours', kind: 'login', summary: 'From outside, with our helpers',
    credentials: z.strictObject({ who: z.string() }),
    steps: { ask: step({ summary: 'Asks', body: z.strictObject({}), returns: z.object({ n: z.number() }), run: async () => ({ n: 1 }) }) },
    create: ({ resolveUser, auth }) => custom(async ({ body }) =>
      body.who === 'nobody' ? null : ((await auth.users.find(body.who)) ?? resolveUser({ subject: body.who, username: body.who }))),
  });`;

describe('STRATEGIES_DIR', () => {
  it('takes plain objects in .js, .mjs and .ts that import nothing of ours, and has our packages', async () => {
    const folder = folderOf(
      {
        'one.js': plain('one'),
        'two.mjs': plain('two'),
        'typed.ts': typed,
        '_helper.js': 'no',
        'one.test.js': 'no',
        'x.d.ts': 'no',
      },
      { own: false },
    );
    const { ask, banner } = await startProcess(await settings({ STRATEGIES_DIR: folder }));
    expect(banner).toMatch(/strategies on: [^;]*one[^;]*two[^;]*;/);
    for (const name of ['one', 'two']) {
      const { status, body } = await ask('POST', `/auth/${name}`, {
        body: { username: 'ada', password: 'open' },
      });
      expect([status, body.session.strategy]).toEqual([200, name]);
      expect(
        (await ask('POST', `/auth/${name}`, { body: { username: 'ada', password: 'shut' } })).body
          .code,
      ).toBe('invalid_credentials');
      expect((await ask('POST', `/auth/${name}`, { body: { username: 'ada' } })).body.code).toBe(
        'invalid_request',
      );
    }
    const { body: me } = await ask('GET', '/me', { headers: { 'x-who': 'ida' } });
    expect((await ask('GET', '/me', { headers: { 'x-who': 'ida' } })).body).toEqual(me);
    const names = (await ask('GET', '/auth/strategies')).body.map(
      ({ name }: { name: string }) => name,
    );
    expect(names).toEqual(['jwt', 'local', 'passkey', 'one', 'two', 'typed']);
    const { body: document } = await ask('GET', '/openapi.json');
    expect(document.paths['/auth/two'].post.summary).toBe('From outside');
    expect(document.components.securitySchemes.typed).toMatchObject({ name: 'X-Who' });
  });

  it('lets files import what the package gives to strategies, from the running server', async () => {
    const STRATEGIES_DIR = folderOf({ 'ours.ts': ours }, { own: false });
    const { ask } = await startProcess(await settings({ STRATEGIES_DIR }));
    const first = await ask('POST', '/auth/ours', { body: { who: 'ada' } });
    expect([first.status, first.body.user?.username], first.text).toEqual([200, 'ada']);
    const again = await ask('POST', '/auth/ours', { body: { who: 'ada' } });
    expect(again.body.user.id).toBe(first.body.user.id);
    const { status, body } = await ask('POST', '/auth/ours', { body: { who: 'nobody' } });
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect((await ask('POST', '/auth/ours/ask', { body: {} })).body).toEqual({ n: 1 });
  });

  it('outlives a strategy that throws in a callback, and answers for it', async () => {
    const { ask } = await startProcess(
      await settings({ STRATEGIES_DIR: folderOf({ 'typed.ts': typed }) }),
    );
    await expect(ask('GET', '/me', { headers: { 'x-who': 'crash' } })).rejects.toThrow(
      'answered 500',
    ); // after the timeout it would be 503
    expect((await ask('GET', '/livez')).status).toBe(200);
  });

  it('outlives one that throws long after its answer', async () => {
    const { ask, heard } = await startProcess(
      await settings({ STRATEGIES_DIR: folderOf({ 'typed.ts': typed }), LOG_LEVEL: 'error' }),
    );
    expect((await ask('GET', '/me', { headers: { 'x-who': 'late' } })).status).toBe(401);
    await eventually(() =>
      expect(heard.stdout).toContain('a strategy threw where nobody could catch it'),
    );
    expect((await ask('GET', '/livez')).status).toBe(200);
  });

  it('ends, in good order, when something throws that no strategy set going', async () => {
    const bomb = `process.on('SIGUSR2', () => { throw new Error('of nobody'); });\n${plain('bomb')}`;
    const { kill } = await startProcess(
      await settings({ STRATEGIES_DIR: folderOf({ 'bomb.mjs': bomb }) }),
    );
    expect(await kill('SIGUSR2')).toMatchObject({ code: 1, signal: null });
  });

  it('ends, and says so, when something throws before it has started', async () => {
    const bomb = `setImmediate(() => { throw new Error('of nobody'); });\nawait new Promise(() => {});\n${plain('bomb')}`;
    const ended = await runProcess(
      'server',
      await settings({ STRATEGIES_DIR: folderOf({ 'bomb.mjs': bomb }), LOG_LEVEL: 'error' }),
    );
    expect(ended).toMatchObject({ code: 1, signal: null });
    expect(ended.stderr).toContain('stopping: an exception reached nobody');
  });

  it('does not start with files that cannot be used, and names them all', async () => {
    const folder = folderOf({
      'local.js': plain('local'),
      'second.js': plain('second', "path: 'login',"),
      'third.js': plain('third', "path: ':id',"),
      'Capital.js': plain('Capital'),
      'lonely.js': "import 'passport-nobody-has'",
      'half.js': plain('half', 'env: z.object({ HALF_A: z.string(), HALF_B: z.string() }),'),
      'distant.js': plain('distant', "kind: 'redirect',"),
      'settings.js': plain('settings', 'env: { SETTING: 1 },'),
    });
    const { code, stderr } = await runProcess(
      'server',
      await settings({ STRATEGIES_DIR: folder, HALF_A: 'set' }),
    );
    expect(code).toBe(78);
    for (const sentence of [
      'local.js is there twice: strategies/local.ts has the same name',
      'second.js wants the path of strategies/local.ts',
      'third.js has a path that is not made of small letters',
      'Capital.js must be named with small letters, digits, - and _',
      'lonely.js cannot be used: ',
      'half.js: HALF_B is missing',
      'settings.js has an env that is no z.object',
      'distant.js: REDIRECT_URIS is empty',
    ])
      expect(stderr).toContain(join(folder, sentence));
  });

  it('does not start with a schema that the OpenAPI document cannot hold', async () => {
    const step =
      "steps: { ask: { summary: 'Asks', body: z.strictObject({}), returns: z.object({ n: z.symbol() }), run: async () => ({ n: Symbol('n') }) } },";
    const folder = folderOf({ 'large.js': plain('large', step) });
    const { code, stderr } = await runProcess('server', await settings({ STRATEGIES_DIR: folder }));
    expect(code).toBe(78);
    expect(stderr).toMatch(/^The OpenAPI document cannot be made: .*symbol.*\n/i);
  });

  it('does not start with a strategy that wants the path of another route', async () => {
    const folder = folderOf({ 'first.js': plain('first', "path: 'register',") });
    const { code, stderr } = await runProcess('server', await settings({ STRATEGIES_DIR: folder }));
    expect([code, stderr]).toEqual([
      78,
      expect.stringContaining(join(folder, 'first.js wants the path of another route')),
    ]);
  });

  it('does not start with a folder that is not there', async () => {
    const { code, stderr } = await runProcess(
      'server',
      await settings({ STRATEGIES_DIR: '/nowhere/at/all' }),
    );
    expect([code, stderr]).toEqual([
      78,
      expect.stringContaining('/nowhere/at/all cannot be read as a folder of strategies (ENOENT)'),
    ]);
  });

  it('may hold what re-exports a package', async () => {
    const folder = folderOf(
      { 'acme.js': "export { default } from '@acme/strategy';" },
      { own: false },
    );
    const home = join(folder, 'node_modules', '@acme', 'strategy');
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'package.json'), '{"type":"module","exports":"./index.js"}');
    writeFileSync(join(home, 'index.js'), plain('acme'));
    const { ask } = await startProcess(await settings({ STRATEGIES_DIR: folder }));
    expect(
      (await ask('POST', '/auth/acme', { body: { username: 'ada', password: 'open' } })).status,
    ).toBe(200);
  });
});

it('says at its start which settings a strategy that is off would need', async () => {
  const { banner } = await startProcess(await settings({ API_KEYS: 'on' }));
  expect(banner).toMatch(
    /strategies on: api-key, jwt, local, passkey; off: .*basic \(BASIC_AUTH\), .*github \(GITHUB_CLIENT_ID, GITHUB_CLIENT_SECRET\), .*google/,
  );
});
