import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, vi } from 'vitest';

/** Every test file works in an empty folder of its own, so that no `.env` and no data of the developer takes part. */
const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
process.chdir(folder);
process.setMaxListeners(0); // test files take turns in a process, and each server listens for its end
afterAll(() => {
  process.chdir('/');
  rmSync(folder, { recursive: true, force: true });
  vi.useRealTimers();
});
