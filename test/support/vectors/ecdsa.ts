import { createHash, generateKeyPairSync, randomUUID, sign, type KeyObject } from 'node:crypto';
import {
  beyondTheOrder,
  bytesOf,
  G,
  inverse,
  keyPairOf,
  mod,
  N,
  number,
  P,
} from '#test/support/vectors/p256';
import {
  inputOf,
  named,
  tokenOf,
  until,
  type Source,
  type Vector,
} from '#test/support/vectors/vector';

const hashOf = (input: string) => number(createHash('sha256').update(input).digest());
const pair = (r: bigint, s: bigint) => Buffer.concat([bytesOf(r), bytesOf(s)]);

/** Edge cases of ES256 (RFC 7518 §3.4): the values of r and s, their form, and whose they are. */
export function ecdsaVectors(source: Source): Vector[] {
  return [
    ...shapes(source),
    ...smallNumbers(source),
    ...chosenKeys(source),
    ...forms(source),
    ...others(source),
    ...flipped(source),
  ];
}

/** Genuine signatures with numbers that occur rarely. */
function shapes(source: Source): Vector[] {
  const rare = (wanted: (signature: Buffer) => boolean) => until(source, randomUUID, wanted);
  const isHigh = (signature: Buffer) => number(signature.subarray(32)) > N / 2n;
  const input = inputOf(source);
  const signature = source.sign(input);
  const s = number(signature.subarray(32));
  const twin = Buffer.concat([signature.subarray(0, 32), bytesOf(N - s)]);
  return named('valid', {
    'a genuine signature': tokenOf(input, signature),
    'r begins with a zero byte': rare((each) => each[0] === 0),
    's begins with a zero byte': rare((each) => each[32] === 0),
    'r begins with a bit that DER would pad': rare((each) => each[0]! > 127),
    's is high': rare(isHigh),
    's is low': rare((each) => !isHigh(each)),
    'n - s in place of s': tokenOf(input, twin),
  });
}

/** Every pair of numbers at the edges (Wycheproof SpecialCaseEs256). */
function smallNumbers(source: Source): Vector[] {
  const edges = { 0: 0n, 1: 1n, 'n-1': N - 1n, n: N, 'n+1': N + 1n, 'p-1': P - 1n, p: P };
  const all = { ...edges, '2^256-1': 2n ** 256n - 1n, 'n/2': N / 2n };
  const input = inputOf(source);
  const signature = source.sign(input);
  const r = number(signature.subarray(0, 32));
  const s = number(signature.subarray(32));
  const entries = Object.entries(all).flatMap(([name, value]) => [
    ...Object.entries(all).map(([other, second]) => [
      `r = ${name}, s = ${other}`,
      tokenOf(input, pair(value, second)),
    ]),
    [`r = ${name}`, tokenOf(input, pair(value, s))],
    [`s = ${name}`, tokenOf(input, pair(r, value))],
  ]);
  return named('invalid', {
    ...(Object.fromEntries(entries) as Record<string, string>),
    'r and s swapped': tokenOf(input, pair(s, r)),
    'n - r in place of r': tokenOf(input, pair(N - r, s)),
    'r and s less one': tokenOf(input, pair(r - 1n, s - 1n)),
  });
}

/** Keys that were chosen so that a signature of this very input has a rare form. */
function chosenKeys(source: Source): Vector[] {
  const input = inputOf(source);
  const hash = hashOf(input);
  const r = mod(G![0]); // k = 1
  const keyFor = (s: bigint, k = 1n) => keyPairOf(mod((s * k - hash) * inverse(r))).verifyWith;
  const sameTwice = keyPairOf(mod(hash * inverse(r))).verifyWith; // u1·G = u2·Q: a doubling
  const infinity = keyPairOf(mod(-hash * inverse(r))).verifyWith; // u1·G = -u2·Q
  const far = beyondTheOrder(hash, 7n);
  const one = (name: string, verdict: Vector['verdict'], signature: Buffer, key: KeyObject) =>
    named(verdict, { [name]: tokenOf(input, signature) }, key);
  return [
    ...one('k = 1 and s = 1', 'valid', pair(r, 1n), keyFor(1n)),
    ...one('k = n-1 and s = 1', 'valid', pair(r, 1n), keyFor(1n, N - 1n)),
    ...one('s = n-1 for its key', 'valid', pair(r, N - 1n), keyFor(N - 1n)),
    ...one('s = n/2 for its key', 'valid', pair(r, N / 2n), keyFor(N / 2n)),
    ...one('s = 1 as n+1', 'invalid', pair(r, N + 1n), keyFor(1n)),
    ...one(
      's of 33 bytes, a zero before',
      'invalid',
      Buffer.concat([bytesOf(r), Buffer.alloc(1), bytesOf(1n)]),
      keyFor(1n),
    ),
    ...one(
      's = 1 without its zeros',
      'invalid',
      Buffer.concat([bytesOf(r), Buffer.from([1])]),
      keyFor(1n),
    ),
    ...one('both terms are one point', 'valid', pair(r, mod(2n * hash)), sameTwice),
    ...one('both terms cancel out', 'invalid', pair(r, 5n), infinity),
    ...one('x of the point is beyond the order', 'valid', pair(far.r, far.s), far.verifyWith),
    ...one('r is such an x, not reduced', 'invalid', pair(far.x, far.s), far.verifyWith),
    ...one('the private key is 1', 'valid', withKey(1n, input), keyPairOf(1n).verifyWith),
    ...one('the private key is n-1', 'valid', withKey(N - 1n, input), keyPairOf(N - 1n).verifyWith),
  ];
}

const withKey = (secret: bigint, input: string) =>
  sign('sha256', Buffer.from(input), {
    key: keyPairOf(secret).signWith,
    dsaEncoding: 'ieee-p1363',
  });

/** The right numbers in another form: DER, other lengths, cut, repeated. */
function forms(source: Source): Vector[] {
  const input = inputOf(source);
  const bytes = source.sign(input);
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const der = sign('sha256', Buffer.from(input), source.signWith);
  const zeros = (length: number) => Buffer.alloc(length);
  const integer = (value: Buffer) => Buffer.concat([Buffer.from([2, value.length]), value]);
  const inDer = Buffer.concat([integer(r), integer(s)]);
  const all: Record<string, Buffer> = {
    'DER in place of r and s': der,
    'DER with integers that may be negative': Buffer.concat([
      Buffer.from([0x30, inDer.length]),
      inDer,
    ]),
    'DER, cut to 64 bytes': der.subarray(0, 64),
    'r and s of 33 bytes': Buffer.concat([zeros(1), r, zeros(1), s]),
    'r and s of 48 bytes': Buffer.concat([zeros(16), r, zeros(16), s]),
    'r and s of 66 bytes': Buffer.concat([zeros(34), r, zeros(34), s]),
    'a zero byte before': Buffer.concat([zeros(1), bytes]),
    'a zero byte behind': Buffer.concat([bytes, zeros(1)]),
    'the signature twice': Buffer.concat([bytes, bytes]),
    'r alone': r,
    's alone': s,
    'r without its first byte': Buffer.concat([r.subarray(1), s]),
    's without its last byte': bytes.subarray(0, 63),
    'r little-endian': Buffer.concat([Buffer.from(r).reverse(), s]),
    'all little-endian': Buffer.from(bytes).reverse(),
    'hexadecimal digits': Buffer.from(bytes.toString('hex')),
    'base64url within base64url': Buffer.from(bytes.toString('base64url')),
    'no bytes': zeros(0),
    'one zero byte': zeros(1),
    '32 zero bytes': zeros(32),
    '4096 zero bytes': zeros(4096),
  };
  const entries = Object.entries(all).map(([name, each]) => [name, tokenOf(input, each)]);
  return named('invalid', Object.fromEntries(entries) as Record<string, string>);
}

/** Signatures of another key, curve, hash or text. */
function others(source: Source): Vector[] {
  const input = inputOf(source);
  const key = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey;
  const by = (signer: KeyObject, hash = 'sha256', text = input) =>
    tokenOf(input, sign(hash, Buffer.from(text), { key: signer, dsaEncoding: 'ieee-p1363' }));
  const { signWith } = source;
  const hashed = createHash('sha256').update(input).digest();
  return named('invalid', {
    'another key of P-256': by(key('prime256v1')),
    'a key of secp256k1': by(key('secp256k1')),
    'a key of P-384': by(key('secp384r1'), 'sha384'),
    'a key of P-521': by(key('secp521r1'), 'sha512'),
    'SHA-1': by(signWith, 'sha1'),
    'SHA-384': by(signWith, 'sha384'),
    'SHA-512': by(signWith, 'sha512'),
    'the hash, hashed again': by(signWith, 'sha256', hashed.toString('latin1')),
    'the header alone': by(signWith, 'sha256', input.split('.')[0]),
    'the payload alone': by(signWith, 'sha256', input.split('.')[1]),
    'the input and a dot': by(signWith, 'sha256', `${input}.`),
    'the input and a newline': by(signWith, 'sha256', `${input}\n`),
    'a signature of no text': by(signWith, 'sha256', ''),
  });
}

/** Each bit of the signature. */
function flipped(source: Source): Vector[] {
  const input = inputOf(source);
  const signature = source.sign(input);
  return Array.from({ length: signature.length * 8 }, (_, bit) => {
    const changed = Buffer.from(signature);
    changed[bit >> 3]! ^= 128 >> (bit & 7);
    return { name: `bit ${bit} flipped`, token: tokenOf(input, changed), verdict: 'invalid' };
  });
}
