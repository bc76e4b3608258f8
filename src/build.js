// Compiles the package into dist/, or into the folder that is named. Its package.json says what '#' means there, so
// built code never loads source.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (status !== 0) throw error ?? new Error(`${command} ended with ${status}`);
}

const [folder = 'dist'] = process.argv.slice(2);
rmSync(folder, { recursive: true, force: true });
run('tsc', ['--project', 'tsconfig.build.json', '--outDir', folder]);

run('node', ['src/build-screens.js', join(folder, 'src/screens/assets')]);
cpSync('src/messages', join(folder, 'src/messages'), { recursive: true });
for (const file of ['src/passwords/common-passwords.txt']) copyFileSync(file, join(folder, file));

// The client also runs where nobody knows what '#' means.
const client = join(folder, 'src/client');
for (const file of readdirSync(client)) {
  const text = readFileSync(join(client, file), 'utf8');
  writeFileSync(join(client, file), text.replaceAll(/'#src\/client\/([\w-]+)'/g, "'./$1.js'"));
}

const { name, version, license } = JSON.parse(readFileSync('package.json', 'utf8'));
const scope = { name, version, license, private: true, type: 'module' };
const imports = {
  '#package': './package.json',
  '#messages/*': './src/messages/*.json',
  '#*': './*.js',
};
writeFileSync(join(folder, 'package.json'), `${JSON.stringify({ ...scope, imports }, null, 2)}\n`);
