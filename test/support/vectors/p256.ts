import { createECDH, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto';

/** A point of P-256. Null: the point at infinity. */
type Point = readonly [x: bigint, y: bigint] | null;

/** The field, and the order of the group (SEC 2 §2.4.2). */
export const P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
export const N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
export const G: Point = [
  0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296n,
  0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5n,
];

export const mod = (value: bigint, of = N): bigint => ((value % of) + of) % of;

function power(base: bigint, exponent: bigint, of: bigint): bigint {
  let [result, square] = [1n, mod(base, of)];
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * square) % of;
    square = (square * square) % of;
  }
  return result;
}
export const inverse = (value: bigint, of = N): bigint => power(value, of - 2n, of);

function add(a: Point, b: Point): Point {
  if (!a || !b) return a ?? b;
  if (a[0] === b[0] && mod(a[1] + b[1], P) === 0n) return null;
  const slope =
    a[0] === b[0]
      ? (3n * a[0] * a[0] - 3n) * inverse(2n * a[1], P)
      : (b[1] - a[1]) * inverse(b[0] - a[0], P);
  const x = mod(slope * slope - a[0] - b[0], P);
  return [x, mod(slope * (a[0] - x) - a[1], P)];
}

function times(factor: bigint, point: Point): Point {
  let [result, double]: [Point, Point] = [null, point];
  for (let left = mod(factor); left > 0n; left >>= 1n) {
    if (left & 1n) result = add(result, double);
    double = add(double, double);
  }
  return result;
}

export const number = (bytes: Buffer): bigint => BigInt(`0x${bytes.toString('hex') || '0'}`);
/** Big-endian, in 32 bytes. */
export const bytesOf = (value: bigint): Buffer =>
  Buffer.from(value.toString(16).padStart(64, '0'), 'hex');

/** The pair of keys of this secret number. */
export function keyPairOf(secret: bigint): { signWith: KeyObject; verifyWith: KeyObject } {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(bytesOf(secret));
  const point = pair.getPublicKey();
  const signWith = createPrivateKey({
    format: 'jwk',
    key: { ...jwkOf(point.subarray(1, 33), point.subarray(33)), d: base64(bytesOf(secret)) },
  });
  return { signWith, verifyWith: createPublicKey(signWith) };
}

const base64 = (bytes: Buffer) => bytes.toString('base64url');
const jwkOf = (x: Buffer, y: Buffer) => ({ kty: 'EC', crv: 'P-256', x: base64(x), y: base64(y) });

/**
 * A signature of this hash whose point has an x between the order and the field, and its public key. The `r` of the
 * signature is x less the order. Nobody knows the private key.
 */
export function beyondTheOrder(hash: bigint, s: bigint) {
  for (let r = 1n; ; r++) {
    const x = r + N;
    const square = mod(x * x * x - 3n * x + B, P);
    const y = power(square, (P + 1n) / 4n, P);
    if (mod(y * y, P) !== square) continue;
    const [left, right] = [times(s, [x, y]), times(N - mod(hash), G)];
    const [keyX, keyY] = times(inverse(r), add(left, right))!;
    const key = jwkOf(bytesOf(keyX), bytesOf(keyY));
    return { r, s, x, verifyWith: createPublicKey({ format: 'jwk', key }) };
  }
}
