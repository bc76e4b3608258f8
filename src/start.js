#!/usr/bin/env node
// The bin of the package: `sallyport` starts the server, `sallyport <command>` is the command line. It is JavaScript, so
// that a Node.js which cannot read TypeScript gets as far as saying so. In a clone it runs the source, where the package
// is installed the built code: never a mix, because each has a package.json of its own that says what '#' means.
import { existsSync } from 'node:fs';
import module from 'node:module';

const source = new URL('cli.ts', import.meta.url);
const isClone = existsSync(source);

const fail = (sentence) => {
  process.stderr.write(`${sentence}\n`);
  process.exit(78);
};
if (isClone && !existsSync(new URL('../node_modules', import.meta.url)))
  fail(
    'The packages of the server are missing: run npm ci in its folder, which also brings its own Node.js.',
  );
if (isClone && !process.features.typescript)
  fail(
    `Sallyport needs Node.js 22.18 or newer; this is ${process.version}. After npm ci, npm start uses its own.`,
  );
// Later starts neither strip types nor compile again: quicker, and 20 MB less.
if (isClone)
  module.enableCompileCache?.(
    new URL('../node_modules/.cache/sallyport', import.meta.url).pathname,
  );
await import(isClone ? source.href : new URL('../dist/src/cli.js', import.meta.url).href);
