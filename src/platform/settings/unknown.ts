import { familiesOfMachine, isForeign } from '#src/platform/settings/foreign';
import { fileSetting } from '#src/platform/settings/files';
import type { Environment } from '#src/platform/settings/read';
import { list } from '#src/platform/settings/types';

/** IGNORED_VARIABLES: names, or beginnings that end in `*`. */
export const ignoredVariables = list
  .refine(
    (names) => names.every((name) => /^[A-Za-z_]\w*\*?$/.test(name)),
    'must be a comma-separated list of names of variables, such as BACKUP_DIR, or beginnings of names, such as BACKUP_*',
  )
  .default([])
  .describe(
    'Variables of other programs, comma-separated; BACKUP_* means all that begin so. They may stand in a shared .env and are not taken for misspelt settings. Well-known ones (MYSQL_*, COMPOSE_*, NODE_* …) need not be named.',
  );

/**
 * Settings begin with these words and hardly any other program's variables do: `SMTP_HOST` was meant for this server.
 * Words of many programs (APP_, LOG_, DATABASE_ …) are not here: those names are refused in `.env`, and where they are
 * a slip of the pen.
 */
export const FAMILIES: readonly string[] =
  'BCRYPT CORS DIALECT GITHUB GOOGLE JWT LDAP OIDC PASSWORD REDIRECT REFRESH SAML SIGNUP SMTP STRATEGIES TRUST'.split(
    ' ',
  );

interface Names {
  /** All settings, those of strategies included. */
  names: readonly string[];
  ignored?: readonly string[];
}

/**
 * A sentence for each name that was meant as a setting and is none. A misspelt setting would be off without a word.
 *
 * - What is known to be another program's is left alone: see `settings/foreign`.
 * - In `.env`, every other name must be a setting.
 * - In the environment of the process, a name is refused if it is a slip of the pen, or begins with a word of ours.
 */
export function unknownNames(known: Names, env: Environment, dotenv: object = {}): string[] {
  const names = [...known.names, ...known.names.map(fileSetting)];
  const ofMachine = familiesOfMachine(env);
  return Object.entries(env)
    .filter(([name, value = '']) => !names.includes(name) && !isForeign(name, value))
    .filter(([name]) => !isIgnored(name, known.ignored ?? []))
    .flatMap(([name]) => {
      const family = FAMILIES.find((word) => name.startsWith(`${word}_`));
      const meant = nearest(name, names);
      const isInFile = Object.hasOwn(dotenv, name);
      if (!meant && !isInFile && (!family || ofMachine.includes(family))) return [];
      const siblings = known.names.filter((each) => family && each.startsWith(`${family}_`));
      const reason = meant
        ? `: did you mean ${meant}?`
        : siblings.length > 0
          ? `; those that begin so are ${siblings.join(', ')}.`
          : ` of this server: remove it${isInFile ? ' from .env' : ''}.`;
      return [
        `${name} is not a setting${reason} If another program reads it, name it in IGNORED_VARIABLES`,
      ];
    });
}

const isIgnored = (name: string, ignored: readonly string[]): boolean =>
  ignored.some((each) => (each.endsWith('*') ? name.startsWith(each.slice(0, -1)) : name === each));

/** The setting that was meant by a misspelt name: only `_` and case differ, or one or two letters, or the end is missing. */
export function nearest(name: string, names: readonly string[]): string | undefined {
  const plain = (text: string) => text.replaceAll('_', '').toUpperCase();
  const given = plain(name);
  const distances = names.map((real) => ({ real, distance: slip(given, plain(real)) }));
  return distances
    .filter(({ distance }) => distance !== undefined)
    .sort((a, b) => a.distance! - b.distance!)[0]?.real;
}

/** How far apart two names are, if it may be a slip of the pen: one letter of a short name, two of a long one. */
function slip(a: string, b: string): number | undefined {
  const shorter = Math.min(a.length, b.length);
  if (shorter >= 10 && (a.startsWith(b) || b.startsWith(a))) return 2;
  if (shorter < 3 || Math.abs(a.length - b.length) > 2) return undefined;
  if (Math.abs(a.length - b.length) > 1 && shorter < 9) return undefined;
  const distance = distanceOf(a, b);
  return distance <= (shorter >= 9 ? 2 : 1) ? distance : undefined;
}

/** Letters that were added, left out, changed, or swapped with their neighbour (optimal string alignment). */
function distanceOf(a: string, b: string): number {
  let [before, last] = [[] as number[], Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        row[j - 1]! + 1,
        last[j]! + 1,
        last[j - 1]! + (isSame ? 0 : 1),
        isSwapped ? before[j - 2]! + 1 : Infinity,
      );
    }
    [before, last] = [last, row];
  }
  return last[b.length]!;
}
