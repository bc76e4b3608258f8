import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

/** Date and machine, as a measured table names them. */
export const machine = (): string =>
  `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores (${cpus()[0]!.model.trim()}), ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}, Node ${process.version}, load ${loadavg()[0]!.toFixed(1)}`;

/**
 * Goes to an empty folder for everything that the program and its servers write. Call the answer to remove it. It is on
 * a disk: in /dev/shm MariaDB maps its log into memory, and what it forgot to flush would survive its end.
 */
export function workInFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-faults-'));
  process.chdir(folder);
  process.once('SIGTERM', () => process.exit(1)); // what it has started ends with it
  return () => {
    process.chdir('/');
    rmSync(folder, { recursive: true, force: true });
  };
}

/** A line of a Markdown table. */
export const line = (cells: readonly unknown[]): void => console.log(`| ${cells.join(' | ')} |`);
