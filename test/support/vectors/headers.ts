import { createHmac } from 'node:crypto';
import { publicKeyAsSecret } from '#test/support/forge';
import { named, text64, tokenOf, type Source, type Vector } from '#test/support/vectors/vector';

/** Headers and claims that are not ours, all with a genuine signature unless the name says otherwise. */
export function headerVectors(source: Source): Vector[] {
  return [
    ...named('invalid', {
      ...members(source),
      ...algorithms(source),
      ...unencoded(source),
      ...confusions(source),
      ...claims(source),
    }),
    ...named('may', mays(source)),
  ];
}

const signed = (source: Source, header: string, payload = JSON.stringify(source.claims)) => {
  const input = `${text64(header)}.${text64(payload)}`;
  return tokenOf(input, source.sign(input));
};
const withHeader = (source: Source, more: object) =>
  signed(source, JSON.stringify({ ...source.header, ...more }));

/** RFC 7515 §4.1: what a header may say, and ours never does. */
function members(source: Source): Record<string, string> {
  const { verifyWith, kid } = source;
  const jwk =
    verifyWith.type === 'secret'
      ? { kty: 'oct', k: text64('k') }
      : verifyWith.export({ format: 'jwk' });
  const all: Record<string, object> = {
    'crit that nobody knows': { crit: ['exp2'], exp2: 1 },
    'crit that is empty': { crit: [] },
    'crit for a standard name': { crit: ['alg'] },
    'crit for a name that is not there': { crit: ['b64'] },
    'crit that is text': { crit: 'b64' },
    'crit that is null': { crit: null },
    'crit for b64 that is true': { crit: ['b64'], b64: true },
    'b64 that is true': { b64: true },
    'our own jwk': { jwk },
    jku: { jku: 'https://attacker.example/jwks.json' },
    x5u: { x5u: 'https://attacker.example/x.pem' },
    x5c: { x5c: ['MIIB'] },
    x5t: { x5t: 'AA' },
    'x5t#S256': { 'x5t#S256': 'AA' },
    'cty JWT': { cty: 'JWT' },
    'zip DEF': { zip: 'DEF' },
    enc: { enc: 'A256GCM' },
    epk: { epk: jwk },
    'another name': { anything: 1 },
    'no kid': { kid: undefined },
    'another kid': { kid: `${kid}x` },
    'a kid with a space': { kid: `${kid} ` },
    'a kid that is a path': { kid: '../../../../dev/null' },
    'a kid that is a list': { kid: [kid] },
    'a kid that is a number': { kid: 0 },
    'the kid of a prototype': { kid: '__proto__' },
    'no typ': { typ: undefined },
    'typ JWT': { typ: 'JWT' },
    'typ of another case': { typ: 'AT+JWT' },
    'typ that is null': { typ: null },
    'typ that is a list': { typ: ['at+jwt'] },
  };
  const entries = Object.entries(all).map(([name, more]) => [name, withHeader(source, more)]);
  return Object.fromEntries(entries) as Record<string, string>;
}

const NAMES =
  'none None NONE nOnE HS256 HS384 HS512 RS256 RS384 RS512 PS256 PS384 ES256 ES384 ES512 ES256K EdDSA dir RSA1_5 A128KW';

/** RFC 8725 §3.1: another algorithm than the one of the key, with the genuine signature and with none. */
function algorithms(source: Source): Record<string, string> {
  const { algorithm, header, claims } = source;
  const all = [...NAMES.split(' '), algorithm.toLowerCase(), `${algorithm} `, ` ${algorithm}`, ''];
  const others = all.filter((name) => name !== algorithm);
  const entries = others.flatMap((alg) => {
    const head = JSON.stringify({ ...header, alg });
    return [
      [`alg ${JSON.stringify(alg)}`, signed(source, head)],
      [
        `alg ${JSON.stringify(alg)} without a signature`,
        `${text64(head)}.${text64(JSON.stringify(claims))}.`,
      ],
    ];
  });
  return {
    ...(Object.fromEntries(entries) as Record<string, string>),
    'no alg': withHeader(source, { alg: undefined }),
    'alg that is null': withHeader(source, { alg: null }),
    'alg that is a list': withHeader(source, { alg: [algorithm] }),
    'alg that is an object': withHeader(source, { alg: { toString: algorithm } }),
  };
}

/** RFC 7797: a payload that is not encoded. */
function unencoded(source: Source): Record<string, string> {
  const { header, claims } = source;
  const head = text64(JSON.stringify({ ...header, b64: false, crit: ['b64'] }));
  const plain = `${head}.${JSON.stringify(claims)}`;
  const encoded = `${head}.${text64(JSON.stringify(claims))}`;
  return {
    'b64 false, the payload as it is': tokenOf(plain, source.sign(plain)),
    'b64 false, the payload encoded, signed as it is': tokenOf(encoded, source.sign(plain)),
    'b64 false, the payload encoded': tokenOf(encoded, source.sign(encoded)),
    'b64 false, the payload detached': `${head}..${source.sign(plain).toString('base64url')}`,
    'b64 false without crit': withHeader(source, { b64: false }),
  };
}

/** A public key that is taken for a shared secret (RFC 8725 §2.1). */
function confusions(source: Source): Record<string, string> {
  const { verifyWith, header, claims } = source;
  if (verifyWith.type === 'secret') return {};
  const entries = publicKeyAsSecret(verifyWith).flatMap(([shape, secret]) =>
    [{ ...header, alg: 'HS256' }, header].map((each) => {
      const input = `${text64(JSON.stringify(each))}.${text64(JSON.stringify(claims))}`;
      const mac = createHmac('sha256', secret).update(input).digest();
      return [`a MAC under ${shape}, by the name ${String(each['alg'])}`, tokenOf(input, mac)];
    }),
  );
  return Object.fromEntries(entries) as Record<string, string>;
}

/** Claims that RFC 9068 §2.2 and our own contract do not allow. */
function claims(source: Source): Record<string, string> {
  const { header, claims } = source;
  const head = JSON.stringify(header);
  const wrong: unknown[] = [undefined, null, '', 0, -1, true, [], {}, '9999999999', 1e300];
  const entries = Object.keys(claims).flatMap((name) =>
    wrong
      .filter((value) => !(name === 'gen' || name === 'iat' ? value === 0 : false))
      .map((value) => [
        `${name} = ${JSON.stringify(value) ?? 'missing'}`,
        signed(source, head, JSON.stringify({ ...claims, [name]: value })),
      ]),
  );
  const more = { nbf: 9_999_999_999, scope: 'admin', roles: ['admin'], cnf: { jkt: 'x' } };
  const surplus = Object.entries(more).map(([name, value]) => [
    `a claim ${name}`,
    signed(source, head, JSON.stringify({ ...claims, [name]: value })),
  ]);
  return Object.fromEntries([...entries, ...surplus]) as Record<string, string>;
}

/** RFC 7515 §4, RFC 8259 §4: JSON that says the same in other words. Only the holder of the key could write it. */
function mays(source: Source): Record<string, string> {
  const { header, claims, algorithm } = source;
  const head = JSON.stringify(header);
  const payload = JSON.stringify(claims);
  const entries = Object.entries(header).reverse();
  return {
    'alg twice, the last one ours': signed(source, `{"alg":"none",${head.slice(1)}`),
    'alg twice, the first one ours': signed(source, `${head.slice(0, -1)},"alg":"none"}`),
    'kid twice, the last one ours': signed(source, `{"kid":"x",${head.slice(1)}`),
    'sub twice, the last one ours': signed(source, head, `{"sub":"x",${payload.slice(1)}`),
    'a header with spaces': signed(source, JSON.stringify(header, undefined, 2)),
    'a payload with spaces': signed(source, head, JSON.stringify(claims, undefined, 2)),
    'a header in another order': signed(source, JSON.stringify(Object.fromEntries(entries))),
    'a header with an escaped letter': signed(
      source,
      head.replace('"alg"', String.raw`"\u0061lg"`),
    ),
    'a number with an exponent': signed(source, head, payload.replace(/"gen":0/, '"gen":0e0')),
    [`__proto__ in the header of ${algorithm}`]: signed(
      source,
      `{"__proto__":{"b64":false},${head.slice(1)}`,
    ),
    '__proto__ in the payload': signed(
      source,
      head,
      `{"__proto__":{"sub":"x"},${payload.slice(1)}`,
    ),
  };
}
