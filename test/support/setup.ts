import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';

// Test files take turns in a process (see vitest.config.ts). What one of them finds is new all the same: every module of ours, and
// with it the settings that are read once; the environment; the folder. And what waits for the end of the process runs at its end.
vi.resetModules();
const environment = { ...process.env };
const heard = (['unhandledRejection', 'uncaughtException', 'exit'] as const).map((event) => ({
  event,
  before: new Set(process.listeners(event as 'exit')),
}));

/** Every test file works in an empty folder of its own, so that no `.env` and no data of the developer takes part. */
const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
process.chdir(folder);
afterAll(() => {
  for (const { event, before } of heard)
    for (const listener of process.listeners(event as 'exit').filter((each) => !before.has(each))) {
      process.off(event, listener);
      if (event === 'exit') listener(0);
    }
  process.chdir('/');
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
  for (const name of Object.keys(process.env)) if (!(name in environment)) delete process.env[name];
  Object.assign(process.env, environment);
});
