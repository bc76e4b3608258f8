import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, describe, expect, it } from 'vitest';
import { createSallyport } from '#src/index';
import { testEnv, testSecret } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { testOptions } from '#test/support/host';
import { freePort } from '#test/support/mysql';
import type { Held, Round } from '#test/support/open-close';
import { emptyFolder, root } from '#test/support/process';

const appSecret = testSecret();

/** Runs rounds of opening and closing in a process of their own, which must end by itself. */
async function rounds(list: Round[]): Promise<{ outcome: string; held: Held }[]> {
  const program = join(root, 'test/support/open-close.ts');
  const child = spawn(process.execPath, [program], {
    cwd: emptyFolder(),
    env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] },
    timeout: 60_000,
  });
  afterAll(() => void child.kill('SIGKILL'));
  child.stdin.end(JSON.stringify(list));
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', resolve);
  });
  const [output, errors, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  expect(code, errors).toBe(0);
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('an instance that was closed', () => {
  it('leaves nothing, and can be opened again on the same database', async () => {
    const folder = emptyFolder();
    const own = (name: string) => {
      const file = join(folder, `${name}.js`);
      writeFileSync(
        file,
        `import { custom, defineStrategy } from 'sallyport/strategy';
         export default defineStrategy({ name: '${name}', kind: 'bearer', summary: 'own',
           scheme: { type: 'http', scheme: 'own' }, create: () => custom(async () => null) });`,
      );
      return file;
    };
    own('own');
    const options = await testOptions({ strategiesDir: folder });
    const list: Round[] = Array.from({ length: 5 }, () => ({ options }));
    const seen = await rounds([...list, { imports: own('_late') }]);
    const outcomes = seen.map(({ outcome }) => outcome);
    expect(outcomes.slice(0, -1)).toEqual(list.map(() => 'closed'));
    expect(outcomes.at(-1)).toMatch(/Cannot find package 'sallyport'/); // nothing is lent any more
    // The first round loads modules. From then on everything is as before.
    for (const { held } of seen.slice(2)) expect(held).toEqual(seen[1]!.held);
    expect(seen[1]!.held.timers).toBe(0);
  });

  it('leaves nothing behind a server, either', async () => {
    const env = testEnv(await emptyDatabase());
    const seen = await rounds(Array.from({ length: 4 }, () => ({ env })));
    expect(seen.map(({ outcome }) => outcome)).toEqual(Array.from({ length: 4 }, () => 'closed'));
    for (const { held } of seen.slice(2)) expect(held).toEqual(seen[1]!.held);
  });
});

describe('an instance that cannot be opened', () => {
  it('leaves nothing', async () => {
    const options = await testOptions();
    const busyPort = await freePort();
    const foreign = await testOptions({ appSecret });
    await createSallyport(foreign).then((auth) => auth.close());
    const failing: [Round, RegExp][] = [
      [{ options: { ...options, accessTokenTtl: 1 } }, /SettingsError: accessTokenTtl/],
      [
        { options: { ...options, publicURL: 'x' } as never },
        /SettingsError: publicURL is not an option/,
      ],
      [{ options, twin: true }, /SettingsError: .*is there twice/],
      [{ options: { ...options, strategiesDir: '/nowhere' } }, /SettingsError: \/nowhere cannot/],
      [
        { options: { ...options, databaseUrl: 'sqlite:/dev/null/y.sqlite' } },
        /StartError: \/dev\/null is no folder/,
      ],
      [
        {
          options: {
            ...options,
            databaseUrl: 'mysql://root@127.0.0.1:1/x',
            databaseWait: 0,
            appSecret,
          },
        },
        /StartError: The database at 127\.0\.0\.1:1 does not answer/,
      ],
      [{ options: { ...foreign, appSecret: testSecret() } }, /sealed under another APP_SECRET/],
      [
        {
          options: {
            ...options,
            smtpUrl: 'smtps://mail.example.com?tls=/nowhere.pem',
            mailFrom: 'a@b.test',
          },
        },
        /SettingsError: .*smtpUrl/i,
      ],
      [
        { env: { ...testEnv(await emptyDatabase()), PORT: String(busyPort) }, busy: true },
        /EADDRINUSE/,
      ],
    ];
    const list = failing.map(([round]) => round);
    const seen = await rounds([{ options }, ...list, ...list, { options }]);
    const outcomes = seen.slice(1, -1).map(({ outcome }) => outcome);
    for (const [i, outcome] of outcomes.entries())
      expect(outcome).toMatch(failing[i % failing.length]![1]);
    expect(seen.at(-1)!.outcome).toBe('closed');
    for (const [i, { held, outcome }] of seen.slice(list.length + 1).entries())
      expect(held, `${i}: ${outcome}`).toEqual(seen[list.length]!.held);
  });
});
