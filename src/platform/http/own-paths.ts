import { DOCS_PATHS } from '#src/platform/http/docs';

/** Express takes `/Users/` for `/users`. */
export const asDeclared = (path: string) => path.toLowerCase().replace(/(?<=.)\/$/, '');

/**
 * A function that is true for the paths of the server: these, and its documents. Declared with `:name` for one segment.
 * An app that embeds the server keeps every other path.
 */
export function ownPaths(declared: readonly string[]): (path: string) => boolean {
  const all = [...declared, ...DOCS_PATHS];
  const fixed = new Set(all.filter((path) => !path.includes(':')).map(asDeclared));
  const patterns = all
    .filter((path) => path.includes(':'))
    .map(
      (path) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+').replaceAll('.', '\\.')}/?$`, 'i'),
    );
  return (path) => fixed.has(asDeclared(path)) || patterns.some((pattern) => pattern.test(path));
}
