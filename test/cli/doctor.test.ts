import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createConnection } from 'mysql2/promise';
import { afterAll, describe, expect, inject, it, vi } from 'vitest';
import { examine } from '#src/doctor/examine';
import { testEnv, testSecret } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { startProvider } from '#test/support/open-id-provider';
import { emptyFolder, rowsOf, runProcess, settingsFor, startProcess } from '#test/support/process';
import { redisIsHere, redisOn } from '#test/support/redis';

type Env = Record<string, string | undefined>;

/** What a check found: `level: text`, one after the other. */
async function found(env: Env, check: string): Promise<string[]> {
  const findings = await examine(env);
  return findings
    .filter((each) => each.check === check)
    .map(({ level, text }) => `${level}: ${text}`);
}
/** A port that takes connections and says nothing. */
async function silentPort(): Promise<number> {
  const port = await freePort();
  const server = await new Promise<Server>((resolve) => {
    const made: Server = createServer().listen(port, '127.0.0.1', () => resolve(made));
  });
  afterAll(() => void server.close());
  return port;
}
/** A statement on a database that may not be there yet. */
async function writeTo(databaseUrl: string, sql: string): Promise<void> {
  if (engine === 'sqlite') {
    const file = databaseUrl.slice('sqlite:'.length);
    writeFileSync(file, '', { mode: 0o600 });
  }
  await rowsOf(databaseUrl, sql);
}
const started = async (databaseUrl: string, env: Env) => {
  const server = await startProcess({ ...env, DATABASE_URL: databaseUrl });
  await server.kill('SIGTERM');
};

describe('doctor', () => {
  it('finds nothing wrong on a server that works, and changes nothing', async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    const before = await runProcess('cli', env, { args: ['doctor'] });
    expect([before.code, before.stderr]).toEqual([0, '']);
    expect(before.stdout).toMatch(/^migrations +ok +the next start makes 0001-foundation/m);
    if (engine === 'sqlite') expect(existsSync(databaseUrl.slice('sqlite:'.length))).toBe(false);
    else expect(await rowsOf(databaseUrl, 'SHOW TABLES')).toEqual([]);
    await started(databaseUrl, env);
    const { code, stdout, stderr } = await runProcess('cli', env, { args: ['doctor', '--json'] });
    expect([code, stderr]).toEqual([0, '']);
    const { ok, data } = JSON.parse(stdout);
    expect(ok).toBe(true);
    expect(data.map(({ check }: { check: string }) => check)).toEqual([
      'settings',
      'database',
      'migrations',
      'keys',
      'secrets',
      'mail',
      'redis',
      'proxy',
      'providers',
    ]);
    expect(stdout).toMatch(/none is pending.*1 stored, APP_SECRET opens them/);
    expect(stdout).not.toContain(env['APP_SECRET']);
  });

  it('says each mistake in the settings, and ends with 1', async () => {
    const env = settingsFor(await emptyDatabase(), { PORT: 'canary', LIMITS: 'canary' });
    const { code, stdout } = await runProcess('cli', env, { args: ['doctor'] });
    expect(code).toBe(1);
    const misspelt = await examine({ ...env, PORT: '0', LIMITS: 'off', SMTP_UROL: 'canary' });
    expect(misspelt).toEqual([
      { check: 'settings', level: 'wrong', text: expect.stringContaining('SMTP_URL?') },
    ]);
    expect(stdout).toMatch(/^settings +wrong +PORT must/m);
    expect(stdout).toMatch(/^settings +wrong +LIMITS/m);
    expect(stdout).not.toContain('canary');
  });

  it('knows another APP_SECRET, and a migration of a newer server', async () => {
    const databaseUrl = await emptyDatabase();
    const env = settingsFor(databaseUrl);
    await started(databaseUrl, env);
    expect(await found({ ...env, APP_SECRET: testSecret() }, 'keys')).toEqual([
      expect.stringMatching(/^wrong: APP_SECRET does not open the signing keys/),
    ]);
    const others = await emptyDatabase();
    await writeTo(others, 'CREATE TABLE users (id INTEGER)');
    expect(await found(testEnv(others), 'migrations')).toEqual([
      expect.stringMatching(/^wrong: This database has a table `users` that is not ours/),
    ]);
    await rowsOf(databaseUrl, "INSERT INTO migrations (name) VALUES ('9999-tomorrow')");
    expect(await found(env, 'migrations')).toEqual([
      expect.stringMatching(/^wrong: A newer server has migrated this database \(9999-tomorrow\)/),
    ]);
  });
});

describe.runIf(engine === 'mysql')('a database server', () => {
  const urlWith = (change: (url: URL) => void) => {
    const url = new URL(`${inject('mysqlUrl')}/nothing`);
    change(url);
    return url.href;
  };

  it('that cannot be reached is told once, with a remedy', async () => {
    const port = String(await freePort());
    const silent = String(await silentPort());
    for (const at of [port, silent]) {
      const env = testEnv(urlWith((url) => void (url.port = at)));
      expect(await found(env, 'database')).toEqual([
        expect.stringMatching(/^wrong: The database does not answer \(\w+\): is it running/),
      ]);
      expect(await found(env, 'keys')).toEqual(['warning: Not checked: see database']);
    }
    const env = testEnv(urlWith((url) => void (url.password = 'canary')));
    const [refused, ...more] = await found(env, 'database');
    expect(refused).toMatch(/^wrong: The database refuses us \(ER_ACCESS_DENIED_ERROR\)/);
    expect(more).toEqual([]);
  });

  it('whose user may not do all that is needed is told what is missing', async () => {
    const databaseUrl = await emptyDatabase();
    const name = new URL(databaseUrl).pathname.slice(1);
    const root = await createConnection(inject('mysqlUrl'));
    const user = `u${name}`;
    await root.query(`CREATE USER ${user} IDENTIFIED BY 'pw'`);
    afterAll(async () => {
      await root.query(`DROP USER ${user}`);
      await root.end();
    });
    const url = new URL(databaseUrl);
    [url.username, url.password] = [user, 'pw'];
    const env = testEnv(url.href);
    const few = 'SELECT, INSERT, UPDATE, DELETE, ALTER, DROP, INDEX, REFERENCES';
    await root.query(`GRANT ${few} ON \`${name.replaceAll('_', String.raw`\_`)}\`.* TO ${user}`);
    expect(await found(env, 'database')).toEqual([
      `wrong: The user of DATABASE_URL may not CREATE on ${name}: GRANT ALL ON ${name}.* to it`,
    ]);
    await root.query(`GRANT ALL ON ${name}.* TO ${user}`);
    expect(await found(env, 'database')).toEqual([
      expect.stringMatching(/^ok: (MariaDB|MySQL) \d/),
    ]);
  });
});

it.runIf(engine === 'mysql')('tells by how much the clock of the database differs', async () => {
  const env = testEnv(await emptyDatabase());
  vi.useFakeTimers({ toFake: ['Date'] });
  try {
    vi.setSystemTime(Date.now() + 120_000);
    expect(await found(env, 'database')).toEqual([
      expect.stringMatching(
        /^wrong: The clock of the database is 1(19|20)\.\d s behind this machine's/,
      ),
    ]);
    vi.setSystemTime(Date.now() - 150_000);
    expect(await found(env, 'database')).toEqual([
      expect.stringMatching(/^warning: The clock of the database is (29|30)\.\d s ahead of/),
    ]);
  } finally {
    vi.useRealTimers();
  }
});

describe.runIf(engine === 'sqlite')('an embedded database', () => {
  it('that is none, that others can read, or that cannot be made is told', async () => {
    const folder = emptyFolder();
    const [file, text] = [join(folder, 'db.sqlite'), join(folder, 'text')];
    writeFileSync(text, 'this is no database'.repeat(100), { mode: 0o600 });
    expect(await found(testEnv(`sqlite:${text}`), 'database')).toEqual([
      expect.stringMatching(/^wrong: The file in DATABASE_URL cannot be used \(SQLITE_NOTADB\)/),
    ]);
    expect(await found(testEnv(`sqlite:${text}/db.sqlite`), 'database')).toEqual([
      expect.stringMatching(/^wrong: .* cannot be made: .*text is no folder/),
    ]);
    await started(`sqlite:${file}`, settingsFor(''));
    chmodSync(file, 0o644);
    expect(await found(testEnv(`sqlite:${file}`), 'database')).toEqual([
      expect.stringMatching(/^wrong: .* can be read by others: chmod 600 it$/),
    ]);
    const { APP_SECRET: _, ...env } = testEnv(`sqlite:${file}`);
    expect(await found(env, 'keys')).toEqual([
      expect.stringMatching(/^wrong: .*app-secret is missing/),
    ]);
    expect(readdirSync(folder)).not.toContain('app-secret');
  });
});

describe.runIf(engine === 'sqlite')('what is around the server', () => {
  it('mail: is spoken to as for a mail, and none is sent', async () => {
    const databaseUrl = await emptyDatabase();
    const mailbox = await openMailbox();
    const working = testEnv(databaseUrl, mailbox.env);
    expect(await found(working, 'mail')).toEqual([
      expect.stringMatching(/^ok: 127\.0\.0\.1:\d+ answers, not encrypted$/),
    ]);
    const at = (port: number, more = '') =>
      testEnv(databaseUrl, {
        ...mailbox.env,
        SMTP_URL: `smtp://user:canary@127.0.0.1:${port}${more}`,
      });
    const [refused] = await found(at(await freePort()), 'mail');
    expect(refused).toMatch(
      /^wrong: 127\.0\.0\.1:\d+ does not answer as a mail server.*ECONNREFUSED/,
    );
    expect(refused).not.toContain('canary');
    const port = Number(new URL(mailbox.env['SMTP_URL']).port);
    expect(await found(at(port, '?tls=system'), 'mail')).toEqual([
      expect.stringMatching(/^wrong: 127\.0\.0\.1:\d+ cannot be spoken to encrypted/),
    ]);
    expect(await found(at(await silentPort()), 'mail')).toEqual([
      expect.stringMatching(/^wrong: /),
    ]);
    const required = testEnv(databaseUrl, { EMAIL_VERIFICATION: 'required' });
    expect(await found(required, 'mail')).toEqual([
      expect.stringMatching(/^warning: There is no SMTP_URL/),
    ]);
  });

  it.runIf(redisIsHere)('Redis: away, and there', async () => {
    const redis = redisOn(await freePort());
    const env = testEnv(await emptyDatabase(), { REDIS_URL: redis.url });
    expect(await found(env, 'redis')).toEqual([
      expect.stringMatching(/^wrong: Redis at 127\.0\.0\.1:\d+ does not answer.*ECONNREFUSED/),
    ]);
    await redis.start();
    expect(await found(env, 'redis')).toEqual([expect.stringMatching(/^ok: .* answers$/)]);
  });

  it('proxy: https without TRUST_PROXY is wrong, http for others is told', async () => {
    const databaseUrl = await emptyDatabase();
    const proxy = (env: Record<string, string>) => found(testEnv(databaseUrl, env), 'proxy');
    expect(await proxy({ PUBLIC_URL: 'https://auth.example.com' })).toEqual([
      expect.stringMatching(/^wrong: PUBLIC_URL is https.*TRUST_PROXY/),
    ]);
    expect(await proxy({ PUBLIC_URL: 'https://auth.example.com', TRUST_PROXY: '1' })).toEqual([
      'ok: PUBLIC_URL is https://auth.example.com',
    ]);
    expect(await proxy({ PUBLIC_URL: 'http://auth.example.com' })).toEqual([
      expect.stringMatching(/^warning: PUBLIC_URL is http:/),
    ]);
  });

  it('providers: what is wrong with one is told before anybody signs in', async () => {
    const callback = 'http://127.0.0.1:9/auth/oidc/callback';
    const { issuer } = await startProvider([callback], {});
    const databaseUrl = await emptyDatabase();
    const at = (OIDC_ISSUER: string) =>
      found(
        testEnv(databaseUrl, {
          OIDC_ISSUER,
          OIDC_CLIENT_ID: 'client',
          OIDC_CLIENT_SECRET: 'canary',
          REDIRECT_URIS: 'https://app.example.com/in',
        }),
        'providers',
      );
    expect(await at(issuer)).toEqual([expect.stringMatching(/^ok: .*oidc/)]);
    const other = issuer.replace('127.0.0.1', 'localhost');
    for (const wrong of [`http://127.0.0.1:${await freePort()}`, `${issuer}/nowhere`, other]) {
      const [fault, ...more] = await at(wrong);
      expect(fault, wrong).toMatch(/^wrong: oidc: .{20}/);
      expect(fault).not.toContain('canary');
      expect(more).toEqual([]);
    }
  });
});
