import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Router, type RequestHandler } from 'express';
import { lifetimes } from '#src/lifetimes';
import { refuseMethod } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';

const fileOf = (name: string) =>
  fileURLToPath(new URL(`../../screens/assets/${name}`, import.meta.url));
const PATH = '/screens';
const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css' };

/** What `src/build-screens.js` has made: names of files below `/screens/`. */
interface Manifest {
  style: string;
  /** For each screen its script, and then what that imports. */
  scripts: Record<string, [string, ...string[]]>;
  files: string[];
}

/** Undefined if nothing was bundled: `npm ci --ignore-scripts` leaves that out. */
export function readManifest(): Manifest | undefined {
  const file = fileOf('manifest.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Manifest) : undefined;
}

export const assetPath = (basePath: string, file: string): string => `${basePath}${PATH}/${file}`;

/** The address of the script of a screen, if it was bundled. */
export const scriptsOf = (
  { basePath }: Pick<Settings, 'basePath'>,
  manifest: Manifest | undefined,
  screen: string,
): readonly string[] =>
  (manifest?.scripts[screen] ?? []).slice(0, 1).map((file) => assetPath(basePath, file));

/** Every path of `assetRoutes`. */
export const assetPaths = (manifest: Manifest | undefined): readonly string[] =>
  (manifest?.files ?? []).map((file) => assetPath('', file));

/** Scripts and the style. A digest is in each name, so what a browser has of them is good for ever. */
export function assetRoutes(manifest: Manifest | undefined): Router {
  const router = Router();
  for (const file of manifest?.files ?? [])
    router
      .route(assetPath('', file))
      .get(send(file))
      .all(refuseMethod(['get']));
  return router;
}

const send =
  (file: string): RequestHandler =>
  (req, res) => {
    const isPacked = req.acceptsEncodings(['gzip', 'identity']) === 'gzip';
    const bytes = readFileSync(fileOf(isPacked ? `${file}.gz` : file));
    res.setHeader('Cache-Control', `public, max-age=${lifetimes.assetSeconds}, immutable`);
    res.vary('Accept-Encoding');
    if (isPacked) res.setHeader('Content-Encoding', 'gzip');
    res.type(TYPES[extname(file)]!).send(bytes);
  };
