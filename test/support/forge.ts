import { createHash, createHmac, sign, type JsonWebKey, type KeyObject } from 'node:crypto';

/** Signs the first two segments of a token. */
type Signer = (input: string) => string | Buffer;

export const encode = (part: unknown): string =>
  Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url');

/** What a token says, believed without a look at its signature. */
export function read(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.');
  const json = (part: string) =>
    JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, unknown>;
  return {
    header: json(header),
    claims: json(payload),
    segments: [header, payload, signature] as const,
  };
}

/** A token with any header and any payload; a member that is `undefined` is left out. */
export function forge(header: object, claims: unknown, signer: Signer): string {
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${Buffer.from(signer(input)).toString('base64url')}`;
}

export const unsigned: Signer = () => '';
export const ecdsa =
  (key: KeyObject): Signer =>
  (input) =>
    sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' });
export const rsa =
  (key: KeyObject, hash = 'sha256', more: { padding?: number; saltLength?: number } = {}): Signer =>
  (input) =>
    sign(hash, Buffer.from(input), { key, ...more });
export const hmac =
  (secret: string | Buffer | KeyObject, hash = 'sha256'): Signer =>
  (input) =>
    createHmac(hash, secret).update(input).digest();

/** Every shape in which a public key may be mistaken for a shared secret. */
export function publicKeyAsSecret(key: KeyObject): [string, string | Buffer][] {
  const jwk = key.export({ format: 'jwk' });
  const pem = key.export({ format: 'pem', type: 'spki' }).toString();
  return [
    ['its PEM', pem],
    ['its PEM without the final newline', pem.trimEnd()],
    ['its PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['its DER', key.export({ format: 'der', type: 'spki' })],
    ['its JWK', JSON.stringify(jwk)],
    [
      'its coordinates or modulus',
      Buffer.concat([jwk.x, jwk.y, jwk.n].map((part) => Buffer.from(part ?? '', 'base64url'))),
    ],
    ['its key id', thumbprint(jwk)],
  ];
}

/** RFC 7638, written once more: the code under test must not check itself. */
export function thumbprint({ crv, e, kty, n, x, y }: JsonWebKey): string {
  const required =
    kty === 'EC'
      ? `{"crv":"${crv}","kty":"EC","x":"${x}","y":"${y}"}`
      : `{"e":"${e}","kty":"RSA","n":"${n}"}`;
  return createHash('sha256').update(required).digest('base64url');
}
