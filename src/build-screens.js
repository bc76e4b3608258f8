// Bundles the pages that run in a browser: each src/screens/<name>/main.tsx, and one style for all. A file has a digest of
// its content in its name, so browsers may keep it for ever. `npm ci` runs this. What is not installed is not needed there.
import { createHash } from 'node:crypto';
import {
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const screens = fileURLToPath(new URL('screens', import.meta.url));
const [folder = join(screens, 'assets')] = process.argv.slice(2);
const rolldown = await import('rolldown').catch(() => undefined);
if (rolldown === undefined) {
  process.stdout.write('The pages are not bundled: rolldown is not installed (--omit=dev).\n');
  process.exit();
}

const entries = globSync(join(screens, '*/main.tsx'));
const input = Object.fromEntries(entries.map((file) => [basename(dirname(file)), file]));
const built = await rolldown.rolldown({
  input,
  platform: 'browser',
  tsconfig: join(screens, 'tsconfig.json'),
});
const { output } = await built.generate({
  format: 'esm',
  minify: true,
  entryFileNames: '[name]-[hash].js',
  chunkFileNames: '[name]-[hash].js',
});
await built.close();

const files = new Map(output.map(({ fileName, code }) => [fileName, code]));
const css = globSync(join(screens, '*/*.css'))
  .filter((file) => basename(dirname(file)) !== 'assets') // what was built before
  .sort()
  .map((file) => readFileSync(file, 'utf8'))
  .join('\n');
const style = `style-${createHash('sha256').update(css).digest('hex').slice(0, 8)}.css`;
files.set(style, css);

/** What an entry needs before it can run: the browser asks for all of it at once. */
const manifest = {
  style,
  scripts: Object.fromEntries(
    output
      .filter(({ isEntry }) => isEntry)
      .map(({ name, fileName, imports }) => [name, [fileName, ...imports]]),
  ),
  files: [...files.keys()],
};

// Several may build at once. The manifest comes last, and in one step.
mkdirSync(folder, { recursive: true });
for (const [name, text] of files) {
  put(name, text);
  put(`${name}.gz`, gzipSync(text, { level: 9 }));
}
put('manifest.json', JSON.stringify(manifest));
const kept = new Set(['manifest.json', ...manifest.files.flatMap((name) => [name, `${name}.gz`])]);
for (const name of readdirSync(folder))
  if (!kept.has(name) && !name.endsWith('.tmp')) rmSync(join(folder, name), { force: true });

function put(name, content) {
  const target = join(folder, name);
  if (name !== 'manifest.json' && existsSync(target)) return;
  const file = `${target}.${process.pid}.tmp`;
  writeFileSync(file, content);
  renameSync(file, target);
}
