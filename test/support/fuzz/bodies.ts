import * as fc from 'fast-check';
import { CANARY, nastyText, nastyValue } from '#test/support/fuzz/values';

type Path = readonly (string | number)[];

/** Every place in a value down to a depth, the value itself first. */
function placesIn(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null || path.length > 8) return [path];
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [path, ...entries.flatMap(([key, each]) => placesIn(each, [...path, key]))];
}

/** A copy with another value at this place; without it if there is none. */
function withValue(value: unknown, [key, ...rest]: Path, other: unknown): unknown {
  if (key === undefined) return other;
  const copy = (
    Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }
  ) as Record<string | number, unknown>;
  const inner = withValue(copy[key], rest, other);
  if (inner === undefined) delete copy[key];
  else copy[key] = inner;
  return copy;
}

const KEYS = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'role',
  'roles',
  'isAdmin',
  'id',
  'emailVerified',
  'disabledAt',
  'password',
  'scopes',
  '',
];

/** The value with a few places changed, removed or added. */
function mutated(value: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(value);
  const change = fc
    .tuple(fc.constantFrom(...places), fc.option(nastyValue, { nil: undefined, freq: 6 }))
    .map(([place, other]) => withValue(value, place, other));
  const added = fc
    .tuple(fc.oneof(fc.constantFrom(...KEYS), nastyText), nastyValue)
    .map(([key, other]) => extended(value, key, other));
  return fc.oneof({ weight: 3, arbitrary: change }, added);
}

/** `defineProperty` adds `__proto__` as a member, as JSON.parse does. */
function extended(value: unknown, key: string, other: unknown): unknown {
  if (typeof value !== 'object' || value === null) return { [key]: other };
  const descriptor = { value: other, enumerable: true, configurable: true, writable: true };
  return Object.defineProperty({ ...value }, key, descriptor);
}

/** Text of JSON that no serialiser writes: members twice, escapes, great numbers, deep nesting, what is cut off. */
const TEXT_CHANGES: readonly ((text: string) => string)[] = [
  (text) => text.replace('{', '{"password":"x","password":{},'),
  (text) => text.replace('{', String.raw`{"a\ud800":"\udfff",`),
  (text) => text.replace('{', '{"__proto__":{"isAdmin":true},'),
  (text) => text.replace('{', '{"constructor":{"prototype":{"isAdmin":true}},'),
  (text) => text.replace(/:("[^"]*"|\d+)/, ':1e999'),
  (text) => text.replace(/:("[^"]*"|\d+)/, `:${'9'.repeat(3000)}`),
  (text) => text.replace(/:("[^"]*"|\d+)/, String.raw`:"\u0000"`),
  (text) => `${'['.repeat(5000)}${text}`,
  (text) => `${'{"a":'.repeat(2000)}${text}${'}'.repeat(2000)}`,
  (text) => text.slice(0, -1),
  (text) => text.slice(0, text.length / 2),
  (text) => `${text}${text}`,
  (text) => `\ufeff${text}`,
  (text) => `${text}\0`,
  (text) => ` \n\t${text}\r\n`,
  (text) => text.replaceAll('"', "'"),
  (text) => `${text}/* ${CANARY} */`,
  () => '',
  () => 'NaN',
  () => `"${CANARY}`,
  () => `{"a":"${'x'.repeat(17_000)}"}`,
];

/** A JSON body near to this value, in bytes. */
export function jsonNear(valid: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const text = (value: unknown) => JSON.stringify(value) ?? '';
  const values = valid.chain((value) =>
    fc.oneof(
      { weight: 2, arbitrary: fc.constant(value) },
      { weight: 4, arbitrary: mutated(value) },
      { weight: 1, arbitrary: mutated(value).chain(mutated) },
    ),
  );
  const texts = fc.tuple(valid, fc.constantFrom(...TEXT_CHANGES));
  return fc.oneof(
    { weight: 8, arbitrary: values.map((value) => Buffer.from(text(value))) },
    { weight: 1, arbitrary: nastyValue.map((value) => Buffer.from(text(value))) },
    { weight: 2, arbitrary: texts.map(([value, change]) => Buffer.from(change(text(value)))) },
    { weight: 1, arbitrary: valid.chain((value) => brokenBytes(Buffer.from(text(value)))) },
  );
}

/** The bytes with one that is changed: mostly no UTF-8 any more. */
const brokenBytes = (bytes: Buffer): fc.Arbitrary<Buffer> =>
  fc
    .tuple(fc.nat(Math.max(0, bytes.length - 1)), fc.constantFrom(0, 0x80, 0xc0, 0xed, 0xff))
    .map(([at, byte]) =>
      Buffer.concat([bytes.subarray(0, at), Buffer.from([byte]), bytes.subarray(at + 1)]),
    );

/** A form near to these fields, in bytes. */
export function formNear(valid: fc.Arbitrary<unknown>): fc.Arbitrary<Buffer> {
  const field = (name: string, value: unknown) =>
    `${encoded(name)}=${encoded(typeof value === 'string' ? value : JSON.stringify(value))}`;
  const forms = valid
    .chain((value) => fc.oneof(fc.constant(value), mutated(value)))
    .map((value) =>
      Object.entries(Object(value) as object)
        .map(([name, each]) => field(name, each))
        .join('&'),
    );
  const broken = fc.tuple(
    forms,
    fc.constantFrom(
      '&',
      '=',
      '%',
      '%zz',
      '%00',
      '&a[]=1&a[b]=2',
      '&token=1&token=2',
      '&'.repeat(2000),
    ),
  );
  return fc.oneof(
    { weight: 3, arbitrary: forms.map((text) => Buffer.from(text)) },
    broken.map(([text, more]) => Buffer.from(text + more)),
    fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
  );
}

/** `encodeURIComponent`, which throws for a lone surrogate. */
export const encoded = (text: string): string => encodeURIComponent(text.toWellFormed());
