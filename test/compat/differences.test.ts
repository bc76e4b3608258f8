import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '#test/support/process';
import { differences } from '#test/support/tutorials/differences';

it('are all named in docs/migrating-from-a-tutorial.md, and no others', () => {
  const guide = readFileSync(join(root, 'docs/migrating-from-a-tutorial.md'), 'utf8');
  const section = guide.split('## What is different')[1]!.split('\n## ')[0]!;
  const rows = [...section.matchAll(/^\| (?!-)(.*) \|$/gm)]
    .map(([, row]) => row!.split(' | '))
    .filter(([tutorial]) => !tutorial!.startsWith('The tutorial') && !tutorial!.startsWith('-'));
  expect(rows).toEqual(differences.map(([tutorial, here]) => [tutorial, here]));
});

it.each(differences)('“%s”: is tested', (_tutorial, _here, file, test) => {
  expect(readFileSync(join(root, 'test/compat', `${file}.test.ts`), 'utf8')).toContain(test);
});
