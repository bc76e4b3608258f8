import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAst } from 'vitest/node';
import { root } from '#test/support/process';

interface Node {
  type: string;
  start: number;
  end: number;
  [member: string]: unknown;
}
interface Import {
  /** As it is written: `#src/app`, `express`. */
  from: string;
  /** True for an import that is gone when the program runs. */
  isType: boolean;
}

const files = globSync('{src,models,migrations,strategies}/**/*.{ts,js}', { cwd: root });
/** The text of every source file, by its path without the extension. */
export const sources = new Map(
  files
    .filter((file) => !file.endsWith('.test.ts') && !file.startsWith('src/screens/'))
    .sort()
    .map((file) => [file.replace(/\.\w+$/, ''), readFileSync(join(root, file), 'utf8')]),
);

const isNode = (value: unknown): value is Node =>
  typeof value === 'object' && value !== null && 'type' in value;
const childrenOf = (node: Node): Node[] =>
  Object.values(node)
    .flat()
    .filter((value) => isNode(value));

/** A node and all that is inside it. */
function* walk(node: Node): Generator<Node> {
  yield node;
  for (const child of childrenOf(node)) yield* walk(child);
}

const trees = new Map<string, Node>();
function treeOf(text: string): Node {
  const known = trees.get(text);
  if (known) return known;
  const tree = parseAst(text, { lang: 'ts' }) as unknown as Node;
  trees.set(text, tree);
  return tree;
}

const literal = (node: unknown) => (isNode(node) ? (node['value'] as string) : undefined);

/** What a file imports, dynamic imports included. */
export function importsOf(text: string): Import[] {
  return [...walk(treeOf(text))].flatMap((node): Import[] => {
    const from = literal(node['source']);
    if (typeof from !== 'string') return [];
    const isType = [node['importKind'], node['exportKind']].includes('type');
    return [{ from, isType: isType || node.type === 'TSImportType' }];
  });
}

const FUNCTIONS = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
const isFunction = ({ type }: Node) => FUNCTIONS.includes(type);

/** What runs while a module is imported: all but the bodies of functions, and types. */
function* runsAtImport(node: Node): Generator<Node> {
  const isInstanceField = node.type === 'PropertyDefinition' && !node['static'];
  if (isFunction(node) || node.type === 'MethodDefinition' || isInstanceField) return;
  if (node.type.startsWith('TS')) {
    if (isNode(node['expression'])) yield* runsAtImport(node['expression']);
    return;
  }
  yield node;
  for (const child of childrenOf(node)) yield* runsAtImport(child);
}

const DECLARATIONS =
  /^(Import|Export\w+|Variable|Function|Class|TS\w+)Declaration$|^ExportAllDeclaration$/;
/** Constants that nothing can change, once they are filled. */
const CONSTANTS = ['Set', 'Map'];
/** Objects without a state. */
const STATELESS = ['RegExp', 'TextDecoder', 'URL', 'Error'];
/** Functions of Node that read nothing and open nothing. */
const PURE = ['promisify', 'createHash'];
const MUTATORS =
  /^(add|set|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin)$/;

const nameOf = (node: unknown) => (isNode(node) ? (node['name'] as string | undefined) : undefined);
/** The first name of `name.member.other`, without calls in between. */
function rootNameOf(node: unknown): string | undefined {
  if (!isNode(node)) return undefined;
  if (node.type === 'MemberExpression') return rootNameOf(node['object']);
  return /^TS\w+Expression$/.test(node.type) ? rootNameOf(node['expression']) : nameOf(node);
}

/** The names that a pattern binds: `{ a, b: [c] }` binds a and c. */
const boundBy = (pattern: Node): string[] =>
  pattern.type === 'Identifier'
    ? [nameOf(pattern)!]
    : childrenOf(pattern)
        .filter((child) => child !== pattern['key'] || pattern['shorthand'])
        .flatMap(boundBy);

/** The names that a function declares anywhere inside: they hide those of the module. */
const declaredIn = (fn: Node): string[] =>
  [...walk(fn)].flatMap((node) => {
    if (node.type === 'VariableDeclarator') return boundBy(node['id'] as Node);
    return isFunction(node) ? (node['params'] as Node[]).flatMap(boundBy) : [];
  });

/** What a file keeps or does while it is imported. Two instances in one process would share it. */
export function moduleStateOf(text: string): string[] {
  const { body } = treeOf(text) as unknown as { body: Node[] };
  const found: string[] = [];
  const report = (what: string, { start, end }: Node) =>
    found.push(`${what}: ${text.slice(start, end).replaceAll(/\s+/g, ' ').slice(0, 80)}`);

  const ofNode = new Set(
    body
      .filter(
        ({ type, source }) => type === 'ImportDeclaration' && literal(source)?.startsWith('node:'),
      )
      .flatMap(({ specifiers }) => (specifiers as Node[]).map(({ local }) => nameOf(local)!))
      .filter((name) => !PURE.includes(name)),
  );
  const own = new Set<string>();
  for (const statement of body) {
    if (!DECLARATIONS.test(statement.type)) report('a statement', statement);
    const declaration = (statement['declaration'] ?? statement) as Node;
    if (declaration.type !== 'VariableDeclaration') continue;
    if (declaration['kind'] !== 'const') report('a variable', declaration);
    const isExported = declaration !== statement;
    for (const declarator of declaration['declarations'] as Node[]) {
      for (const name of boundBy(declarator['id'] as Node)) own.add(name);
      const isConstant = CONSTANTS.includes(nameOf((declarator['init'] as Node)?.['callee']) ?? '');
      const type = text.slice((declarator['id'] as Node).start, (declarator['id'] as Node).end);
      if (isExported && isConstant && !/: Readonly(Set|Map)\b/.test(type))
        report('a constant that others could change', declarator);
      // With the flag g or y, these two remember the last match.
      const { flags = '' } = ((declarator['init'] as Node)?.['regex'] ?? {}) as { flags?: string };
      const name = nameOf(declarator['id']);
      if (/[gy]/.test(flags) && new RegExp(`\\b${name}\\.(exec|test)\\(`).test(text))
        report('an expression with a memory', declarator);
    }
  }
  for (const node of body.flatMap((statement) => [...runsAtImport(statement)])) {
    if (node.type === 'AwaitExpression') report('a wait', node);
    if (node.type === 'Identifier' && ['process', 'globalThis'].includes(nameOf(node)!))
      report('something of the process', node);
    if (node.type === 'NewExpression') {
      const made = nameOf(node['callee']) ?? '';
      const isFilled = CONSTANTS.includes(made) && (node['arguments'] as Node[]).length === 1;
      if (!isFilled && !STATELESS.includes(made)) report('a new object', node);
    }
    if (node.type === 'CallExpression') {
      if (isFunction(node['callee'] as Node)) report('a function that is called at once', node);
      if (ofNode.has(rootNameOf(node['callee']) ?? '')) report('a call of Node', node);
    }
  }
  const names = new Set([...own, ...body.flatMap(importedBy)]);
  for (const statement of body) reportChanges(statement, names, report);
  return found;
}

const importedBy = ({ type, specifiers }: Node): string[] =>
  type === 'ImportDeclaration' ? (specifiers as Node[]).map(({ local }) => nameOf(local)!) : [];

/** Reports each place that changes something which the module holds. */
function reportChanges(
  node: Node,
  names: ReadonlySet<string>,
  report: (what: string, node: Node) => unknown,
): void {
  const hidden = isFunction(node) ? declaredIn(node) : [];
  const visible =
    hidden.length > 0 ? new Set([...names].filter((name) => !hidden.includes(name))) : names;
  if (visible.has(changedBy(node) ?? '')) report('a change of what the module holds', node);
  for (const child of childrenOf(node)) reportChanges(child, visible, report);
}

/** The first name of what an expression changes: `a` of `a.b = 1`, `a.push(1)`, `Object.assign(a, b)`. */
function changedBy(node: Node): string | undefined {
  if (node.type === 'AssignmentExpression') return rootNameOf(node['left']);
  if (node.type === 'UpdateExpression') return rootNameOf(node['argument']);
  if (node.type === 'UnaryExpression' && node['operator'] === 'delete')
    return rootNameOf(node['argument']);
  if (node.type !== 'CallExpression') return undefined;
  const callee = node['callee'] as Node;
  const [first] = node['arguments'] as Node[];
  if (/^(assign|definePropert(y|ies)|setPrototypeOf)$/.test(nameOf(callee['property']) ?? ''))
    return rootNameOf(first);
  return MUTATORS.test(nameOf(callee['property']) ?? '') ? rootNameOf(callee['object']) : undefined;
}
