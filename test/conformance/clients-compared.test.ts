import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { driverOf } from '#src/conformance/driver';
import { runClient, type Verdict } from '#src/conformance/run-client';
import { careless, eraser, impatient, interceptor } from '#test/support/conformance/naive';
import { sdkSessionTab, sdkTab } from '#test/support/conformance/sdk-tab';
import { drive } from '#test/support/conformance/tabs';
import { root } from '#test/support/process';

/** A run waits for events, so nothing depends on it but how soon a test that hangs fails. */
const HANGS = 600_000;
const file = join(root, 'docs/conformance.md');
const page = readFileSync(file, 'utf8');
const [, python = ''] = /```python\n([\s\S]*?)```/.exec(page)!;
writeFileSync('driver.py', python);

const drivers = {
  '`sallyport/client`': (await drive(sdkTab, sdkSessionTab)).url,
  '[driver.py](#driverpy)': `python3 ${resolve('driver.py')}`,
  'The interceptor of a tutorial, without a lock': (await drive(interceptor)).url,
  'Erases when a refresh fails': (await drive(eraser)).url,
  'Tries again at random': (await drive(impatient)).url,
  'Trusts its clock and memory, repeats everything': (await drive(careless, careless)).url,
};
const WORDS = { passed: 'passed', failed: '**failed**', skipped: '–' };

function tableOf(runs: readonly (readonly Verdict[])[]): string {
  const rows = runs[0]!.map(({ scenario, title, rules }, i) => [
    `\`${scenario}\``,
    title,
    rules.join(', '),
    ...runs.map((verdicts) => WORDS[verdicts[i]!.verdict]),
  ]);
  const head = ['Scenario', '', 'Rules', ...Object.keys(drivers)];
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

// `vitest -u` writes the table.
it('says of each client in docs/conformance.md what the run says', { timeout: HANGS }, async () => {
  const runs = await Promise.all(
    Object.values(drivers).map((driver) => runClient({ driver: driverOf(driver) })),
  );
  const failed = runs.map((run) =>
    run.flatMap(({ scenario, verdict }) => (verdict === 'failed' ? [scenario] : [])).sort(),
  );
  expect(failed).toEqual([
    [],
    [],
    [
      'ended-elsewhere',
      'late-refusal',
      'lost-sign-out',
      'many-requests',
      'stolen-token',
      'three-tabs',
      'wrong-password',
    ],
    ['lost-reply', 'portal', 'rate-limited', 'unavailable', 'unknown-token'],
    ['lost-reply', 'rate-limited', 'unavailable'],
    [
      'clock-fast',
      'duplicated-tab',
      'ended-elsewhere',
      'killed-before-use',
      'killed-during-use',
      'late-refusal',
      'lost-sign-in',
      'lost-sign-out',
      'many-requests',
      'new-password',
      'no-loop',
      'rate-limited',
      'request-unavailable',
      'stolen-token',
      'storing-fails',
      'three-tabs',
      'unavailable',
      'unknown-token',
      'wrong-password',
    ],
  ]);
  const table = tableOf(runs);
  await expect(page.replace(/^\| Scenario \|[^]*?\n\n/m, () => `${table}\n\n`)).toMatchFileSnapshot(
    file,
  );
});
