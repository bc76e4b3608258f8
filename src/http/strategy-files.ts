import { readdir } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import type { AuthStrategy } from '#src/http/strategy';

/** A file that says it is a strategy, and what it exports. */
export interface StrategyFile {
  /** As a person would find it: folder and name. */
  file: string;
  strategy: AuthStrategy;
}
interface Found {
  files: StrategyFile[];
  /** One sentence for each file that cannot be used. */
  mistakes: string[];
}

const FIELDS = ['name', 'path', 'kind', 'summary', 'env', 'credentials', 'account', 'scheme', 'responseMode', 'create'];
const KINDS = ['login', 'redirect', 'bearer'];
/** Helpers, declarations, maps and tests may stand beside strategies. */
const NO_STRATEGY = /^[_.]|\.d\.[cm]?ts$|\.test\.[cm]?[jt]s$/;
const STRATEGY = /\.(js|mjs|ts)$/;
const NAME = /^[a-z][\w-]*$/;
const PATH = /^[a-z0-9][\w-]*(\/[a-z0-9][\w-]*)*$/;

/** Reads the strategies in these folders, each `{ name for people, where it is }`. Keeps the contract for them: see `strategies/README.md`. */
export async function readStrategies(folders: readonly { name: string; url: URL }[]): Promise<Found> {
  const found: Found = { files: [], mistakes: [] };
  for (const { name, url } of folders) {
    const entries = await readdir(url).catch((error: NodeJS.ErrnoException) => {
      found.mistakes.push(`${name} cannot be read as a folder of strategies (${error.code})`);
      return [];
    });
    for (const entry of entries.filter((each) => STRATEGY.test(each) && !NO_STRATEGY.test(each)).sort()) {
      const file = `${name}/${entry}`;
      try {
        const { default: strategy } = (await import(new URL(entry, url).href)) as { default?: AuthStrategy };
        const mistake = fault(strategy, entry.replace(STRATEGY, ''), found.files);
        if (mistake) found.mistakes.push(`${file} ${mistake}`);
        else found.files.push({ file, strategy: strategy! });
      } catch (error) {
        found.mistakes.push(`${file} cannot be used: ${messageOf(error)}`);
      }
    }
  }
  return found;
}

/**
 * Lends our packages to files in a folder outside: one that uses zod or passport-local needs no node_modules of its own.
 * What is installed beside it comes first.
 */
export function lendPackages(folder: URL): void {
  registerHooks({
    resolve(specifier, context, next) {
      try {
        return next(specifier, context);
      } catch (error) {
        const lent = (error as { code?: string }).code === 'ERR_MODULE_NOT_FOUND' && context.parentURL?.startsWith(folder.href);
        if (!lent) throw error;
        return next(specifier, { ...context, parentURL: import.meta.url });
      }
    },
  });
}

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'it threw something that is no Error');
export const pathOf = ({ name, path = name }: AuthStrategy): string => `/auth/${path}`;

export function fault(strategy: AuthStrategy | undefined, name: string, others: readonly StrategyFile[]): string | undefined {
  if (!NAME.test(name)) return 'must be named with small letters, digits, - and _, or begin with _ if it is no strategy';
  if (strategy?.name !== name) return `must default-export a strategy named "${name}"`;
  const unknown = Object.keys(strategy).find((key) => !FIELDS.includes(key));
  if (unknown) return `has a field that is not known: ${unknown}`;
  const { kind, path = name, responseMode = 'query' } = strategy;
  if (typeof strategy.create !== 'function') return 'has no create()';
  if (typeof strategy.summary !== 'string' || strategy.summary === '') return 'has no summary';
  if (!KINDS.includes(kind)) return 'has a kind that is not known: login, redirect or bearer';
  if (!['query', 'form_post'].includes(responseMode)) return 'has a responseMode that is not known: query or form_post';
  if (!PATH.test(path)) return 'has a path that is not made of small letters, digits, - and /';
  if (strategy.env && !('shape' in strategy.env)) return 'has an env that is no z.object({ … })';
  if (kind === 'login' && !strategy.credentials) return 'is of kind login and must describe its credentials';
  if (kind === 'bearer' && !strategy.scheme) return 'is of kind bearer and must describe its scheme';
  const twin = others.find((other) => other.strategy.name === name);
  return twin && `is there twice: ${twin.file} has the same name`;
}

/** Two that would answer at the same address, or one that wants an address of the server's own. */
export function pathClashes(files: readonly StrategyFile[], taken: readonly string[]): string[] {
  const owners = new Map(taken.map((path) => [path, 'another route']));
  return files
    .filter(({ strategy }) => strategy.kind !== 'bearer')
    .flatMap(({ file, strategy }) => {
      const owner = owners.get(pathOf(strategy));
      owners.set(pathOf(strategy), file);
      return owner ? [`${file} wants the path of ${owner}`] : [];
    });
}
