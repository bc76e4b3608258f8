import { readdir } from 'node:fs/promises';
import { registerHooks } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { faultOf, pathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** A file of a strategy, and what it exports. */
export interface StrategyFile {
  /** Folder and name, for people. */
  file: string;
  strategy: AuthStrategy;
}
interface Found {
  files: StrategyFile[];
  /** One sentence for each file that cannot be used. */
  mistakes: string[];
}
/** Strategies that were found. */
export interface FoundStrategies extends Found {
  /** True if some are not of the package. */
  hasOwn: boolean;
  /** Removes what reading left in the process. Not before the instance that uses the strategies is closed. */
  release: () => void;
}

/** The strategies in strategies/, those in a second folder, and those of the app that embeds the server. */
export async function findStrategies(
  strategiesDir: string | undefined,
  own: readonly AuthStrategy[] = [],
): Promise<FoundStrategies> {
  const folders = [{ name: 'strategies', url: new URL('../../strategies/', import.meta.url) }];
  let release = () => {};
  if (strategiesDir) {
    const url = pathToFileURL(`${resolve(strategiesDir)}/`);
    release = lendPackages(url);
    folders.push({ name: strategiesDir, url });
  }
  const { files, mistakes } = await readStrategies(folders);
  for (const strategy of own) {
    const name = (strategy as AuthStrategy | undefined)?.name ?? 'without a name';
    const fault = describeFault(strategy, name, files);
    if (fault) mistakes.push(`The strategy ${name} ${fault}`);
    else files.push({ file: `the option strategies (${strategy.name})`, strategy });
  }
  return { files, mistakes, hasOwn: folders.length > 1 || own.length > 0, release };
}

/** Helpers, declarations, maps and tests may stand beside strategies. */
const NO_STRATEGY = /^[_.]|\.d\.[cm]?ts$|\.test\.[cm]?[jt]s$/;
const STRATEGY = /\.(js|mjs|ts)$/;

/** Reads the strategies in these folders and checks each against the contract: see `strategies/README.md`. */
async function readStrategies(folders: readonly { name: string; url: URL }[]): Promise<Found> {
  const found: Found = { files: [], mistakes: [] };
  for (const { name, url } of folders) {
    const entries = await readdir(url).catch((error: NodeJS.ErrnoException) => {
      found.mistakes.push(`${name} cannot be read as a folder of strategies (${error.code})`);
      return [];
    });
    for (const entry of entries
      .filter((each) => STRATEGY.test(each) && !NO_STRATEGY.test(each))
      .sort()) {
      const file = `${name}/${entry}`;
      try {
        const { default: strategy } = (await import(new URL(entry, url).href)) as {
          default?: AuthStrategy;
        };
        const mistake = describeFault(strategy, entry.replace(STRATEGY, ''), found.files);
        if (mistake) found.mistakes.push(`${file} ${mistake}`);
        else found.files.push({ file, strategy: strategy! });
      } catch (error) {
        found.mistakes.push(`${file} cannot be used: ${messageOf(error)}`);
      }
    }
  }
  return found;
}

/** The parts of this package that strategies may import, by what they import them as. */
const PARTS: Record<string, string> = {
  'sallyport/strategy': '#src/strategy-kit/strategy',
  'sallyport/conformance': '#src/strategy-kit/conformance',
};

/**
 * Lets files in a folder outside import `sallyport/strategy` of this very server, and the packages of the server: a file
 * that uses zod or passport-local needs no node_modules of its own. What is installed beside the file comes first. Call
 * the answer to end it.
 */
function lendPackages(folder: URL): () => void {
  const ours = { parentURL: import.meta.url };
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!context.parentURL?.startsWith(folder.href)) return next(specifier, context);
      const part = PARTS[specifier];
      if (part) return next(part, { ...context, ...ours });
      try {
        return next(specifier, context);
      } catch (error) {
        if ((error as { code?: string }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
        return next(specifier, { ...context, ...ours });
      }
    },
  });
  return () => hooks.deregister();
}

export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : 'it threw something that is no Error';

/** What is wrong with a strategy, as the end of a sentence, or undefined. */
function describeFault(
  strategy: AuthStrategy | undefined,
  name: string,
  others: readonly StrategyFile[],
): string | undefined {
  const twin = others.find((other) => other.strategy.name === name);
  return faultOf(strategy, name) ?? (twin && `is there twice: ${twin.file} has the same name`);
}

/** A sentence for each strategy that wants the path of another one, or of a route of the server. */
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
