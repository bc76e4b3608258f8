import * as fc from 'fast-check';

export interface Schema {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  format?: string;
  pattern?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
}
export type Components = Readonly<Record<string, Schema>>;

/** Values that exist in the instance under test, by the name of the field that wants them. */
export type Known = (field: string) => readonly string[];

/** Stands in what is secret or only sent. No line of the log may have it. */
export const CANARY = 'c4narY';

/** Text that breaks what is careless: controls, look-alikes, directions, surrogates, paths, SQL, HTML, long runs. */
const NASTY = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\u0001\u001f\u007f\u0085',
  '\r\nSet-Cookie: a=b',
  '\u2028\u2029',
  '\u202eadmin\u202c',
  '\u200b\u200d\ufeff',
  '\ud800',
  '\udfff\ud800',
  '\ufffd\uffff',
  'ß İ ı ſ K ﬁ ǆ',
  '\u0301\u0301\u0301',
  'Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L',
  '👩‍👩‍👧‍👦🏳️‍🌈',
  '🅰'.repeat(40),
  '../../../../etc/passwd',
  '%2e%2e%2f%00',
  "' OR 1=1-- ",
  '"; DROP TABLE users; --',
  '<script>alert(1)</script>',
  '${7*7}{{7*7}}#{7*7}',
  '__proto__',
  'constructor',
  'toString',
  'undefined',
  'null',
  'NaN',
  '-0',
  '1e400',
  '0x10',
  '9'.repeat(400),
  'a'.repeat(255),
  'a'.repeat(1025),
  'é'.repeat(5000),
  '(a+)+$'.repeat(20),
  'a@b.c',
  'x@xn--.example',
  `"${'a'.repeat(64)}"@[IPv6:::1]`,
  '00000000-0000-0000-0000-000000000000',
  CANARY,
];

export const nastyText: fc.Arbitrary<string> = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...NASTY) },
  fc.string({ unit: 'grapheme' }),
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.nat(0xffff).map((code) => String.fromCharCode(code)), maxLength: 20 }),
  fc.string({ maxLength: 300 }).map((text) => CANARY + text),
);

const deep = (depth: number): unknown => (depth === 0 ? 1 : { a: [deep(depth - 1)] });

/** Any value of JSON, those at its edges often. */
export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 3, arbitrary: nastyText },
  fc.constantFrom(
    null,
    true,
    false,
    0,
    -0,
    -1,
    1.5,
    1e308,
    2 ** 53,
    -(2 ** 63),
    [],
    {},
    [[]],
    [null],
  ),
  fc.constantFrom({ toString: 1 }, { length: 5 }, { $gt: '' }, { val: '1=1' }, { toJSON: 'x' }),
  fc.constantFrom(3, 60, 900).map(deep),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(nastyText, { maxLength: 60 }),
);

/** What the schema allows, as far as it says. Some of it is refused all the same: a name is taken, a token is none. */
export function valueOf(
  schema: Schema,
  components: Components,
  known: Known,
  field = '',
): fc.Arbitrary<unknown> {
  const of = (other: Schema, name = field) => valueOf(other, components, known, name);
  if (schema.$ref) return of(components[schema.$ref.split('/').at(-1)!] ?? {});
  if ('const' in schema) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return fc.oneof(...choices.map((each) => of(each)));
  if (schema.allOf) return fc.tuple(...schema.allOf.map((each) => of(each))).map(merged);
  const { type = 'any' } = schema;
  if (Array.isArray(type)) return fc.oneof(...type.map((each) => of({ ...schema, type: each })));
  if (type === 'object') return objectOf(schema, of);
  if (type === 'array')
    return fc.array(of(schema.items ?? {}), {
      minLength: schema.minItems ?? 0,
      maxLength: Math.min(schema.maxItems ?? 4, 4),
    });
  if (type === 'integer' || type === 'number') return numberOf(schema);
  if (type === 'boolean') return fc.boolean();
  if (type === 'null') return fc.constant(null);
  if (type === 'string') return textOf(schema, known(field));
  return nastyValue;
}

const merged = (parts: unknown[]) => Object.assign({}, ...parts) as unknown;

function objectOf(schema: Schema, of: (schema: Schema, name: string) => fc.Arbitrary<unknown>) {
  const entries = Object.entries(schema.properties ?? {});
  return fc.record(Object.fromEntries(entries.map(([name, each]) => [name, of(each, name)])), {
    requiredKeys: (schema.required ?? []).filter((name) => schema.properties?.[name]),
  });
}

const numberOf = ({ minimum = -1000, maximum = 1e9 }: Schema) =>
  fc.oneof(fc.constantFrom(minimum, maximum), fc.integer({ min: minimum, max: maximum }));

function textOf({ format, pattern, minLength = 0, maxLength }: Schema, known: readonly string[]) {
  const own: fc.Arbitrary<string>[] = [
    fc.string({ minLength, maxLength: Math.min(maxLength ?? 40, 80) }),
  ];
  if (format === 'uuid') own.splice(0, 1, fc.uuid());
  if (format === 'email') own.splice(0, 1, fc.emailAddress({ size: 'small' }));
  if (pattern) own.push(...patternOf(pattern));
  const lists = known.length > 0 ? [{ weight: 4, arbitrary: fc.constantFrom(...known) }] : [];
  return fc.oneof(...lists, ...own);
}

/** fast-check knows no look-arounds. */
function patternOf(pattern: string): fc.Arbitrary<string>[] {
  try {
    return [fc.stringMatching(new RegExp(pattern, 'u'))];
  } catch {
    return [];
  }
}
