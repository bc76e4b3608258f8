import { writeFile } from 'node:fs/promises';
import { create, extract } from 'tar';
import { z } from 'zod';

/** The files of a backup. It is a gzipped tar archive, so they can be taken out without this server, too. */
export const DATABASE = 'sallyport.sqlite';
/** Only if the secret lies beside the database: APP_SECRET among the settings is kept by whoever set it. */
export const SECRET = 'app-secret';
export const MANIFEST = 'backup.json';

export const Manifest = z.object({
  format: z.literal(1),
  /** Of the server that made it. */
  version: z.string(),
  createdAt: z.iso.datetime(),
  /** SHA-256 of the database, in hex. */
  sha256: z.string(),
});
export type Manifest = z.output<typeof Manifest>;

/** Writes these files of a folder into a new archive that only its owner may read. */
export async function pack(folder: string, names: string[], archive: string): Promise<void> {
  const packed = create({ cwd: folder, gzip: true, portable: true, strict: true }, names);
  await writeFile(archive, packed, { flag: 'wx', mode: 0o600, flush: true });
}

/**
 * Takes the files of a backup out of an archive. Anything else in it is left there. It blocks this process: when it
 * throws, nothing writes any more.
 * @throws {Error} if it is no archive, or is damaged
 */
export function unpack(archive: string, folder: string): void {
  const names = [DATABASE, SECRET, MANIFEST];
  extract({
    sync: true,
    file: archive,
    cwd: folder,
    strict: true,
    preserveOwner: false,
    fmode: 0o600,
    filter: (path, entry) => names.includes(path) && 'type' in entry && entry.type === 'File',
  });
}
