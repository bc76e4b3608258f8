import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { installPackages } from '#test/support/own-packages';
import { root } from '#test/support/process';

const HOME = 'test/native-modules';
installPackages(HOME);

/** What is used here of web-tree-sitter. */
interface Node {
  isError: boolean;
  isMissing: boolean;
  startPosition: { row: number };
  children: readonly Node[];
}
interface TreeSitter {
  Parser: {
    init(): Promise<void>;
    new (): { setLanguage(language: object): void; parse(code: string): { rootNode: Node } };
  };
  Language: { load(file: string): Promise<object> };
}
const packages = join(root, HOME, 'node_modules');
const { Parser, Language } = (await import(
  join(packages, 'web-tree-sitter/web-tree-sitter.js')
)) as TreeSitter;
await Parser.init();
const grammar = '@repomix/tree-sitter-wasms/out/tree-sitter-swift.wasm';
const parser = new Parser();
parser.setLanguage(await Language.load(join(packages, grammar)));

/** The lines of the code in which something is no Swift. */
function mistakes(code: string): string[] {
  const lines = code.split('\n');
  const inside = (node: Node): string[] => [
    ...(node.isError || node.isMissing ? [lines[node.startPosition.row] ?? ''] : []),
    ...node.children.flatMap(inside),
  ];
  return inside(parser.parse(code).rootNode);
}
const page = readFileSync(join(root, 'docs/clients-native.md'), 'utf8');
const [, swift = ''] = /```swift\n([^]*?)```/.exec(page)!;

it('has no mistake in its grammar', () => {
  expect(swift.length).toBeGreaterThan(5000);
  expect(mistakes(swift)).toEqual([]);
});

it.each([
  ['a brace', '  func signOut() async throws {', '  func signOut() async throws'],
  ['an argument', 'token: renewed)', 'token: renewed'],
  ['an arrow', '-> Data? {', '> Data? {'],
  ['a keyword', 'guard isStale, let used,', 'guarded isStale, let used,'],
  ['a quote', '"Bearer \\(', 'Bearer \\('],
])('has one where %s is wrong', (_what, now, then) => {
  expect(swift).toContain(now);
  expect(mistakes(swift.replace(now, then))).not.toEqual([]);
});
