import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

/** Every test file works in an empty folder of its own, so that no `.env` and no data of the developer takes part. */
const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
process.chdir(folder);
afterAll(() => {
  process.chdir('/');
  rmSync(folder, { recursive: true, force: true });
});
