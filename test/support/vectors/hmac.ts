import { createHash, createHmac } from 'node:crypto';
import { inputOf, named, tokenOf, type Source, type Vector } from '#test/support/vectors/vector';

const mac = (secret: Buffer, text: string, hash = 'sha256') =>
  createHmac(hash, secret).update(text).digest();

/** Edge cases of HS256 (RFC 7518 §3.2): MACs that are cut, long or of another hash, and keys that are nearly ours. */
export function hmacVectors(source: Source): Vector[] {
  const input = inputOf(source);
  const genuine = source.sign(input);
  return [
    ...named('valid', { 'a genuine MAC': tokenOf(input, genuine) }),
    ...forms(input, genuine),
    ...keys(source, input),
    ...cut(input, genuine),
    ...flipped(input, genuine),
  ];
}

function forms(input: string, genuine: Buffer): Vector[] {
  const all: Record<string, Buffer> = {
    'no bytes': Buffer.alloc(0),
    'one zero byte': Buffer.alloc(1),
    zeros: Buffer.alloc(32),
    'only ff': Buffer.alloc(32, 0xff),
    'a zero byte before': Buffer.concat([Buffer.alloc(1), genuine]),
    'a zero byte behind': Buffer.concat([genuine, Buffer.alloc(1)]),
    'the MAC twice': Buffer.concat([genuine, genuine]),
    'the MAC in reverse': Buffer.from(genuine).reverse(),
    'hexadecimal digits': Buffer.from(genuine.toString('hex')),
    'base64url within base64url': Buffer.from(genuine.toString('base64url')),
  };
  const entries = Object.entries(all).map(([name, each]) => [name, tokenOf(input, each)]);
  return named('invalid', Object.fromEntries(entries) as Record<string, string>);
}

function keys({ verifyWith }: Source, input: string): Vector[] {
  const secret = verifyWith.export();
  const by = (key: Buffer, text = input, hash = 'sha256') => tokenOf(input, mac(key, text, hash));
  const digest = createHash('sha256').update(secret).digest();
  return named('invalid', {
    'no key': by(Buffer.alloc(0)),
    'a key of one zero byte, which is another spelling of none': by(Buffer.alloc(1)),
    'a key of zeros': by(Buffer.alloc(32)),
    'a short key': by(Buffer.from('secret')),
    'the key without its last byte': by(secret.subarray(0, -1)),
    'the key and a byte more': by(Buffer.concat([secret, Buffer.from('x')])),
    'the key and a newline': by(Buffer.concat([secret, Buffer.from('\n')])),
    'the key in reverse': by(Buffer.from(secret).reverse()),
    'the key in hexadecimal digits': by(Buffer.from(secret.toString('hex'))),
    'the key in base64url': by(Buffer.from(secret.toString('base64url'))),
    'the key in base64': by(Buffer.from(secret.toString('base64'))),
    'the key, decoded from base64url': by(Buffer.from(secret.toString(), 'base64url')),
    'the hash of the key': by(digest),
    'HMAC with SHA-1': by(secret, input, 'sha1'),
    'HMAC with SHA-384': by(secret, input, 'sha384'),
    'HMAC with SHA-512': by(secret, input, 'sha512'),
    'HMAC with SHA-512, cut to 32 bytes': tokenOf(
      input,
      mac(secret, input, 'sha512').subarray(0, 32),
    ),
    'a hash of key and text in place of a MAC': tokenOf(
      input,
      createHash('sha256').update(secret).update(input).digest(),
    ),
    'a hash of the text alone': tokenOf(input, createHash('sha256').update(input).digest()),
    'the header alone': by(secret, input.split('.')[0]),
    'the payload alone': by(secret, input.split('.')[1]),
    'the input and a dot': by(secret, `${input}.`),
    'a signature of no text': by(secret, ''),
    'key and text in the wrong order': tokenOf(
      input,
      mac(Buffer.from(input), secret.toString('latin1')),
    ),
  });
}

const cut = (input: string, genuine: Buffer): Vector[] =>
  Array.from({ length: 31 }, (_, i) => ({
    name: `cut to ${i + 1} bytes`,
    token: tokenOf(input, genuine.subarray(0, i + 1)),
    verdict: 'invalid',
  }));

const flipped = (input: string, genuine: Buffer): Vector[] =>
  Array.from({ length: 256 }, (_, bit) => {
    const changed = Buffer.from(genuine);
    changed[bit >> 3]! ^= 128 >> (bit & 7);
    return { name: `bit ${bit} flipped`, token: tokenOf(input, changed), verdict: 'invalid' };
  });
