import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createHttp } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { chaosProxy } from '#test/support/chaos-proxy';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { emptyFolder, root, runProcess, settingsFor, startProcess } from '#test/support/process';

type Env = Record<string, string | undefined>;
/** The one sentence with which a server ends that starts so. */
async function sentenceOf(env: Env, how: Parameters<typeof runProcess>[2] = {}) {
  const { code, stdout, stderr } = await runProcess('server', env, how);
  expect([stdout, stderr.split('\n')], stderr).toEqual(['', [expect.any(String), '']]);
  expect(stderr).not.toMatch(/canary|\bat .*:\d+:\d+/);
  expect(code, stderr).toBeGreaterThan(0);
  return stderr.trimEnd();
}

describe.skipIf(engine === 'mysql')('a file for the database', () => {
  /** Runs as nobody: root may do everything. */
  const asNobody = { before: 'exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"' };
  const canDrop = process.getuid?.() === 0;
  const sqlite = (path: string) => settingsFor(`sqlite:${path}`);

  it('that is something else', async () => {
    const cwd = emptyFolder();
    writeFileSync(
      join(cwd, 'text'),
      'this is no database, and it is longer than its header '.repeat(20),
    );
    mkdirSync(join(cwd, 'folder'));
    expect(await sentenceOf(sqlite('text'), { cwd })).toMatch(
      /text is no SQLite database: .*DATABASE_URL/,
    );
    expect(await sentenceOf(sqlite('folder'), { cwd })).toMatch(
      /folder is a folder: .*DATABASE_URL/,
    );
    expect(await sentenceOf(sqlite('text/x/y.sqlite'), { cwd })).toMatch(
      /text\/x is no folder.*DATABASE_URL/,
    );
    expect(await sentenceOf(sqlite('/dev/null/y.sqlite'), { cwd })).toMatch(
      /is no folder.*DATABASE_URL/,
    );
  });

  it('that is damaged', async () => {
    const cwd = emptyFolder();
    const server = await startProcess(sqlite('x.sqlite'), { cwd });
    await server.kill('SIGTERM');
    const bytes = readFileSync(join(cwd, 'x.sqlite'));
    bytes.fill(0xaa, 100, 8192);
    writeFileSync(join(cwd, 'x.sqlite'), bytes);
    expect(await sentenceOf(sqlite('x.sqlite'), { cwd })).toMatch(
      /x\.sqlite is damaged: .*DATABASE_URL/,
    );
  });

  it('that cannot be made: a system folder', async () => {
    expect(await sentenceOf(sqlite('/sys/sallyport/x.sqlite'))).toMatch(/\/sys.*DATABASE_URL/);
  });

  it.runIf(canDrop)('that this user may not write, or whose folder', async () => {
    const cwd = emptyFolder();
    chmodSync(cwd, 0o755);
    expect(await sentenceOf(sqlite('x.sqlite'), { cwd, ...asNobody })).toMatch(
      /^The folder \S+ cannot be written by this user: .*DATABASE_URL/,
    );
    expect(await sentenceOf(sqlite('data/x.sqlite'), { cwd, ...asNobody })).toMatch(
      /^The folder \S+ cannot be written by this user: .*DATABASE_URL/,
    );
    mkdirSync(join(cwd, 'own'));
    chownSync(join(cwd, 'own'), 65534, 65534);
    writeFileSync(join(cwd, 'own', 'x.sqlite'), '');
    expect(await sentenceOf(sqlite('own/x.sqlite'), { cwd, ...asNobody })).toMatch(
      /^The file \S+ cannot be written by this user: .*DATABASE_URL/,
    );
  });

  it('on a full disk', async () => {
    expect(await sentenceOf(sqlite('x.sqlite'), { before: 'trap "" XFSZ; ulimit -f 8' })).toMatch(
      /(disk is full|broken or full).*DATABASE_URL/,
    );
  });
});

describe.skipIf(engine === 'mysql')('where it listens', () => {
  const env = () => settingsFor(`sqlite:${emptyFolder()}/x.sqlite`);

  it('the port is taken: by another Sallyport, or by somebody else', async () => {
    const server = await startProcess(env());
    const { port } = new URL(server.url);
    expect(await sentenceOf({ ...env(), PORT: port })).toMatch(
      /^Another Sallyport is running already at 127\.0\.0\.1, port \d+ \(EADDRINUSE\): .*PORT$/,
    );
    const other = createHttp((_req, res) => res.end('hello')).listen(0, '127.0.0.1');
    const silent = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void (other.close(), silent.close()));
    for (const each of [other, silent]) {
      if (!each.listening) await once(each, 'listening');
      const taken = String((each.address() as AddressInfo).port);
      expect(await sentenceOf({ ...env(), PORT: taken })).toMatch(
        /is taken by another program .*PORT$/,
      );
    }
  });

  it.each([
    ['192.0.2.1', 'HOST is no address of this machine'],
    ['nobody.invalid', 'HOST is no address and no known name'],
    ['http://localhost', 'HOST is no address and no known name'],
  ])('HOST=%s is not of this machine', async (HOST, sentence) => {
    const safe = { BCRYPT_COST: '10', LIMITS: 'on' };
    expect(await sentenceOf({ ...env(), ...safe, HOST })).toContain(sentence);
  });
});

describe.skipIf(engine === 'mysql')('what the settings name', () => {
  it.each<[string, Env, RegExp]>([
    [
      'a file of TLS that is not there',
      { SMTP_URL: 'smtps://x.example?tls=/nowhere.pem' },
      /^SMTP_URL \(\?tls=\) names a file that does not exist/,
    ],
    [
      'a file of TLS that holds no certificate',
      { SMTP_URL: 'smtps://x.example?tls=/etc/hostname' },
      /^SMTP_URL \(\?tls=\) names a file that holds no certificate/,
    ],
    [
      'the port of smtps for smtp',
      { SMTP_URL: 'smtp://u:canary@x.example:465' },
      /^SMTP_URL: port 465 .* write smtps:\/\//,
    ],
    [
      'the port of smtp for smtps',
      { SMTP_URL: 'smtps://u:canary@x.example:587' },
      /^SMTP_URL: port 587 .* write smtp:\/\//,
    ],
    [
      'a malformed address of a database',
      { DATABASE_URL: 'mysql://root:canary@[x/y' },
      /^DATABASE_URL must be/,
    ],
    [
      'a database without a name',
      { DATABASE_URL: 'mysql://root:canary@x.example' },
      /^DATABASE_URL must be/,
    ],
    [
      'a folder of strategies that is not there',
      { STRATEGIES_DIR: '/nowhere' },
      /^\/nowhere cannot be read as a folder of strategies \(ENOENT\)/,
    ],
  ])('%s', async (_what, env, sentence) => {
    const base = settingsFor(`sqlite:${emptyFolder()}/x.sqlite`, { MAIL_FROM: 'a@b.example' });
    expect(await sentenceOf({ ...base, ...env })).toMatch(sentence);
  });
});

describe.skipIf(engine === 'mysql')('a clone without its packages', () => {
  it('says npm ci', async () => {
    const folder = emptyFolder();
    cpSync(join(root, 'src'), join(folder, 'src'), { recursive: true });
    cpSync(join(root, 'package.json'), join(folder, 'package.json'));
    const start = () => sentenceOf({}, { file: join(folder, 'src', 'start.js') });
    expect(await start()).toMatch(/npm ci/);
    expect(await sentenceOf({}, { file: join(folder, 'src', 'server.ts') })).toMatch(/npm ci/);
    mkdirSync(join(folder, 'node_modules'));
    expect(await start()).toMatch(/npm ci/);
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });
});

describe.skipIf(engine === 'sqlite')('a database server', () => {
  const url = (change: (url: URL) => void) => {
    const made = new URL(`${inject('mysqlUrl')}/nowhere`);
    change(made);
    return settingsFor(made.href);
  };

  it.each<[string, (url: URL) => void, RegExp]>([
    [
      'whose name is unknown',
      (url) => Object.assign(url, { hostname: 'nobody.invalid', password: 'canary' }),
      /cannot be found \(\w+\).*DATABASE_URL$/,
    ],
    [
      'without this database',
      () => {},
      /has no database nowhere \(ER_BAD_DB_ERROR\): create it.*DATABASE_URL$/,
    ],
    [
      'that does not know the user',
      (url) => {
        url.username = 'nobody';
        url.password = 'canary';
      },
      /refuses us \(ER_ACCESS_DENIED_ERROR\).*DATABASE_URL/,
    ],
    [
      'that is not running',
      (url) => void (url.port = '1'),
      /does not answer \(ECONNREFUSED\).*DATABASE_URL right\?$/,
    ],
    [
      'that does not speak TLS or is not trusted',
      (url) => void (url.search = '?tls=system'),
      /(does not speak TLS|is not trusted) \((HANDSHAKE_\w*SSL\w*|\w*CERT\w*)\).*DATABASE_URL/,
    ],
  ])('%s', async (_what, change, sentence) => {
    expect(await sentenceOf({ ...url(change), APP_SECRET: settingsFor('').APP_SECRET })).toMatch(
      sentence,
    );
  });

  it('that is another program', async () => {
    const other = createHttp((_req, res) => res.end('hello')).listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const env = url((each) => void (each.port = String(port)));
    expect(await sentenceOf(env)).toMatch(/DATABASE_URL/);
  });

  it('that starts later is waited for, and the line says so', async () => {
    const databaseUrl = await emptyDatabase();
    const proxy = await chaosProxy(Number(new URL(databaseUrl).port));
    onTestFinished(() => proxy.close());
    proxy.set('refuse');
    const env = settingsFor(databaseUrl.replace(/:\d+\//, `:${proxy.port}/`), {
      DATABASE_WAIT: '600',
    });
    const waiting =
      /^Waiting for the database at 127\.0\.0\.1:\d+, at most 600 s: it does not answer \(\w+\)\n/;
    const server = startProcess(env);
    await eventually(() => expect(proxy.refused()).toBeGreaterThan(1));
    proxy.set('pass');
    const { banner, heard, kill } = await server;
    expect(heard.stderr).toMatch(waiting);
    expect(heard.stderr).toBe(`${waiting.exec(heard.stderr)![0]}${banner}\n`);
    await kill();

    const before = proxy.refused();
    proxy.set('refuse');
    const program = runProcess('cli', env, { args: ['role', 'list'] });
    await eventually(() => expect(proxy.refused()).toBeGreaterThan(before + 1));
    proxy.set('pass');
    const { code, stdout, stderr } = await program;
    expect(stderr).toMatch(waiting);
    expect([code, stdout]).toEqual([0, expect.stringContaining('admin')]);
  });
});
