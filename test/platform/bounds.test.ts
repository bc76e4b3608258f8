import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { LRUCache } from 'lru-cache';
import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { root } from '#test/support/process';
import { sources } from '#test/support/source';

const page = readFileSync(join(root, 'docs/reliability.md'), 'utf8');
const run = promisify(execFile);

it('every cache of the server stands in docs/reliability.md with its bound', () => {
  const caches = [...sources].filter(([, text]) => text.includes('new LRUCache'));
  expect(caches.length).toBeGreaterThan(4);
  for (const [id, text] of caches) {
    const [, max] =
      /\b(?:max: |atMost\()(\d[\d_]*)/.exec(text) ?? /\bMOST_\w+ = (\d[\d_]*)/.exec(text)!;
    const bound = max!.replaceAll('_', ' ');
    expect(page, id).toContain(`| \`${id}.ts\` | ${bound} entries |`);
  }
});

it('the caches of an instance hold no more than their bound', async () => {
  const { ctx } = await startApp();
  const caches = Object.values(ctx).filter((each) => each instanceof LRUCache) as LRUCache<
    string,
    object
  >[];
  expect(caches.length).toBeGreaterThanOrEqual(3);
  for (const cache of caches) {
    const bound = cache.max || cache.maxSize;
    expect(bound).toBeGreaterThan(0);
    for (let i = 0; i < bound + 100; i++) cache.set(String(i), {});
    expect(cache.size).toBe(bound);
  }
});

it('the space of V8 for new objects is bounded, whatever the load', async () => {
  const bytesOf = async (...args: string[]) =>
    Number((await run(process.execPath, [join(root, 'test/support/allocate.ts'), ...args])).stdout);
  expect(await bytesOf('bounded')).toBeLessThanOrEqual(32 * 1024 * 1024);
  expect(await bytesOf()).toBeGreaterThan(64 * 1024 * 1024);
});
