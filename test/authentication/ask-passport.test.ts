import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { root } from '#test/support/process';

const run = promisify(execFile);
const MB = 1024 * 1024;

it('nothing of a request outlives what Passport was asked for it', async () => {
  const leftOf = async (...args: string[]) =>
    Number(
      (
        await run(process.execPath, [
          '--expose-gc',
          '--no-opt',
          '--no-incremental-marking',
          '--initial-old-space-size=256',
          join(root, 'test/support/ask.ts'),
          ...args,
        ])
      ).stdout,
    );
  expect(await leftOf()).toBeLessThan(3 * MB);
  expect(await leftOf('bare')).toBeGreaterThan(10 * MB); // or V8 keeps nothing any more, and this file can go
});
