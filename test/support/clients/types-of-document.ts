import { problems } from '#src/platform/http/problems';

interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  description?: string;
  'x-extensible-enum'?: string[];
}
interface Operation {
  summary: string;
  parameters?: { name: string; in: string; required?: boolean; schema: Schema }[];
  requestBody?: { required?: boolean; content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}
export interface Document {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const literal = (value: unknown) =>
  typeof value === 'string'
    ? `'${value.replaceAll(/['\\]/g, String.raw`\$&`)}'`
    : JSON.stringify(value);
const nameOf = ($ref: string) => $ref.split('/').at(-1)!;
const PRIMITIVES: Record<string, string> = {
  string: 'string',
  integer: 'number',
  number: 'number',
  boolean: 'boolean',
  null: 'null',
};
const unique = (types: string[]) =>
  [...new Set(types)]
    .filter((type) => !type.startsWith(`'`) || !types.includes('string'))
    .join(' | ');
const comment = (text: string | undefined, indent: string) =>
  text ? `${indent}/** ${text.replaceAll('*/', '*').replaceAll(/\s+/g, ' ')} */\n` : '';

function objectOf(schema: Schema, indent: string): string {
  const inner = `${indent}  `;
  const members = Object.entries(schema.properties ?? {}).map(([name, property]) => {
    const isOptional = !schema.required?.includes(name);
    const key = /^[\w$]+$/.test(name) ? name : literal(name);
    // Optional members may be undefined: so that an app with `exactOptionalPropertyTypes` may pass what it has.
    const type = typeOf(property, inner) + (isOptional ? ' | undefined' : '');
    return `${comment(property.description, inner)}${inner}${key}${isOptional ? '?' : ''}: ${type};\n`;
  });
  if (members.length > 0) return `{\n${members.join('')}${indent}}`;
  const values = schema.additionalProperties;
  if (values === false) return 'Record<string, never>';
  return `Record<string, ${typeof values === 'object' ? typeOf(values, indent) : 'unknown'}>`;
}

/** TypeScript for a schema of the document. A list that may grow also takes what it does not name. */
function typeOf(schema: Schema, indent = ''): string {
  if (schema.$ref) return nameOf(schema.$ref);
  const open = schema['x-extensible-enum'];
  if (open) return [...open.map(literal), '(string & {})'].join(' | ');
  if ('const' in schema) return literal(schema.const);
  if (schema.enum) return unique(schema.enum.map(literal));
  const variants = schema.anyOf ?? schema.oneOf;
  if (variants) return unique(variants.map((each) => typeOf(each, indent)));
  if (Array.isArray(schema.type))
    return unique(schema.type.map((type) => typeOf({ ...schema, type }, indent)));
  if (schema.type === 'array') return `readonly (${typeOf(schema.items ?? {}, indent)})[]`;
  if (schema.type === 'object' || schema.properties) return objectOf(schema, indent);
  return PRIMITIVES[schema.type ?? ''] ?? 'unknown';
}

function* refsIn(node: unknown): Generator<string> {
  if (typeof node !== 'object' || node === null) return;
  const { $ref } = node as Schema;
  if (typeof $ref === 'string') yield nameOf($ref);
  for (const child of Object.values(node)) yield* refsIn(child);
}

const JSON_TYPE = 'application/json';
/** What one request takes and what comes back. Undefined for an endpoint that answers no JSON. */
function endpointOf(operation: Operation) {
  const [, answer] =
    Object.entries(operation.responses).find(([status]) => status.startsWith('2')) ?? [];
  if (!answer || (answer.content && !answer.content[JSON_TYPE])) return undefined;
  const given = (place: string) => {
    const parameters = (operation.parameters ?? []).filter((each) => each.in === place);
    if (parameters.length === 0) return undefined;
    const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
    const required = parameters.filter((each) => each.required).map(({ name }) => name);
    return { type: 'object', properties, required };
  };
  const { requestBody } = operation;
  const body = requestBody?.content[JSON_TYPE]?.schema;
  const parts: [string, Schema | undefined][] = [
    [requestBody?.required ? 'body' : 'body?', body],
    ['params', given('path')],
    ['query?', given('query')],
    ['headers?', given('header')],
    ['returns', answer.content?.[JSON_TYPE]?.schema],
  ];
  return parts.filter((part): part is [string, Schema] => part[1] !== undefined);
}

/** The types of every endpoint, of what they take and answer, and of every refusal. */
export function typesOf({ paths, components }: Document): string {
  const endpoints = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, operation]) => {
      const parts = endpointOf(operation);
      return parts ? [{ name: `${method.toUpperCase()} ${path}`, operation, parts }] : [];
    }),
  );
  const used = new Set<string>();
  const use = (node: unknown) => {
    for (const name of refsIn(node))
      if (!used.has(name)) {
        used.add(name);
        use(components.schemas[name]);
      }
  };
  use(endpoints.map(({ parts }) => parts));
  use([{ $ref: 'Problem' }, components.schemas['Problem']]);
  const declared = [...used].sort().map((name) => {
    const schema = components.schemas[name]!;
    const type = typeOf(schema);
    const start =
      type.startsWith('{') && !/^\} \|/m.test(type) ? `interface ${name} ` : `type ${name} = `;
    return `${comment(schema.description, '')}export ${start}${type}${start.startsWith('type') ? ';' : ''}\n`;
  });
  const listed = endpoints.map(({ name, operation, parts }) => {
    const members = parts
      .map(([key, schema]) => `    ${key}: ${typeOf(schema, '    ')};\n`)
      .join('');
    return `${comment(operation.summary, '  ')}  ${literal(name)}: {${members && `\n${members}  `}};\n`;
  });
  const actions = Object.entries(problems).map(
    ([code, [, action, title]]) => `${comment(title, '  ')}  ${code}: '${action}';\n`,
  );
  return [
    '// Written by `vitest run -u client-types` from the OpenAPI document. Change the routes, not this file.\n',
    `/** Every endpoint that answers JSON or nothing, by its method and path. */\nexport interface Endpoints {\n${listed.join('')}}\n`,
    `/** The code of every refusal, and what to do next. */\nexport interface Actions {\n${actions.join('')}}\n`,
    ...declared,
  ].join('\n');
}
