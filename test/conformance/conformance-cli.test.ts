import { writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { commandLine } from '#test/support/command';
import { interceptor } from '#test/support/conformance/naive';
import { drive } from '#test/support/conformance/tabs';

const HANGS = 300_000;
const run = commandLine({});
const { url } = await drive(interceptor);

it('says in a table and in JSON what each scenario found', { timeout: HANGS }, async () => {
  const passed = await run(`conformance --driver ${url} --scenario no-loop`);
  expect(passed).toMatchObject({ code: 0, stderr: '' });
  expect(passed.stdout).toMatch(/^SCENARIO +VERDICT +RULES +WHY\nno-loop +passed +5 +-\n$/);
  const failed = await run(
    `conformance client --driver ${url} --scenario wrong-password duplicated-tab --json`,
  );
  expect(process.exitCode).toBe(1);
  process.exitCode = 0;
  const { ok, data } = JSON.parse(failed.stdout);
  expect(ok).toBe(false);
  expect(data).toMatchObject([
    { scenario: 'wrong-password', verdict: 'failed', rules: [5] },
    { scenario: 'duplicated-tab', verdict: 'skipped' },
  ]);
  expect(data[0].why).toMatch(/^It refreshed 1 times, not 0/);
});

it('refuses what it does not know', { timeout: HANGS }, async () => {
  expect(await run(`conformance --driver ${url} --scenario no-such`)).toMatchObject({
    code: 1,
    stderr: 'There is no scenario no-such\n',
  });
  expect((await run('conformance')).stderr).toMatch(/required option '--driver/);
});

it('asks no server with an empty password', { timeout: HANGS }, async () => {
  expect(await run('conformance server http://127.0.0.1:1 --user ada', '')).toMatchObject({
    code: 1,
    stderr: 'The password is empty.\n',
  });
});

it.each([
  ['ends', 'process.exit(3)', /^The driver ended \(3\)$/],
  [
    'writes what is no JSON',
    'console.log("hello"); setInterval(() => {}, 1000)',
    /no JSON: hello$/,
  ],
  [
    'answers nothing useful',
    'process.stdin.on("data", () => console.log("{}"))',
    /cannot sign in$/,
  ],
])('says so of a driver that %s', { timeout: HANGS }, async (_what, code, why) => {
  writeFileSync('driver.cjs', code);
  const driver = [process.execPath, `${process.cwd()}/driver.cjs`];
  const { data } = JSON.parse(
    (await run(['conformance', '--driver', driver.join(' '), '--scenario', 'no-loop', '--json']))
      .stdout,
  );
  process.exitCode = 0;
  expect(data[0]).toMatchObject({ verdict: 'failed', why: expect.stringMatching(why) });
});
