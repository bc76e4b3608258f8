import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Characters that end a line or a column, or control the terminal that shows it. */
const UNPRINTABLE = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
export const printable = (text: string): string => text.replaceAll(UNPRINTABLE, '?');

const HEAD = [
  '# Users who could not be imported under their name. Write a new username or e-mail address into the last',
  '# column, after a tab, and run the same command again. Lines without one are refused again.',
  '# id\tname\treason\tnew name',
];

/** New names for rows of another database, by their ids there. A person fills them in. */
export class RenameFile {
  readonly #path: string;
  readonly #lines = new Map<string, { note: string; renamed: string }>();

  /** @throws {Error} if a line is none, or the file cannot be read */
  constructor(path: string) {
    this.#path = path;
    if (!existsSync(path)) return;
    for (const [i, line] of readFileSync(path, 'utf8').split(/\r?\n/).entries()) {
      if (line.trim() === '' || line.startsWith('#')) continue;
      const [id, name, reason, renamed = ''] = line.split('\t');
      if (!id?.trim() || reason === undefined)
        throw new Error(`Line ${i + 1} of ${path} has no id, name and reason between tabs.`);
      this.#lines.set(id.trim(), { note: `${name}\t${reason}`, renamed: renamed.trim() });
    }
  }

  /** The new name for a row. Undefined: the one that it has. */
  nameFor(id: unknown): string | undefined {
    return this.#lines.get(String(id))?.renamed || undefined;
  }

  /** A row that was refused. What was filled in stays. */
  refused(id: unknown, name: string, reason: string): void {
    const note = `${printable(name)}\t${printable(reason)}`;
    this.#lines.set(printable(String(id)), { note, renamed: this.nameFor(id) ?? '' });
  }

  /** Writes the file, readable for its owner alone: it has names of users. */
  save(): void {
    const lines = [...this.#lines].map(([id, { note, renamed }]) => `${id}\t${note}\t${renamed}`);
    writeFileSync(this.#path, [...HEAD, ...lines, ''].join('\n'), { mode: 0o600 });
  }
}
