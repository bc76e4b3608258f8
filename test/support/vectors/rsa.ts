import {
  constants,
  createHash,
  generateKeyPairSync,
  privateEncrypt,
  randomUUID,
  sign,
  type KeyObject,
} from 'node:crypto';
import {
  inputOf,
  named,
  tokenOf,
  until,
  type Source,
  type Vector,
} from '#test/support/vectors/vector';

/** DigestInfo before the digest (RFC 8017 §9.2, note 1). */
const PREFIXES = {
  sha1: '3021300906052b0e03021a05000414',
  sha256: '3031300d060960864801650304020105000420',
  sha384: '3041300d060960864801650304020205000430',
  sha512: '3051300d060960864801650304020305000440',
};
type Hash = keyof typeof PREFIXES;

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const digestOf = (input: string, hash: Hash = 'sha256') => createHash(hash).update(input).digest();
const sizeOf = ({ verifyWith }: Source) => verifyWith.asymmetricKeyDetails!.modulusLength! / 8;

/** Any block of the size of the key, signed as it is: what a verifier gets back when it opens the signature. */
const block = (source: Source, input: string, bytes: Buffer) =>
  tokenOf(
    input,
    privateEncrypt({ key: source.signWith, padding: constants.RSA_NO_PADDING }, bytes),
  );

/** 00 01 FF … FF 00 and the rest, filled up to the size of the key. */
function padded(size: number, rest: Buffer, filling = 0xff): Buffer {
  const fill = Buffer.alloc(size - rest.length - 3, filling);
  return Buffer.concat([hex('0001'), fill, hex('00'), rest]);
}

/** Edge cases of RS256 (RFC 7518 §3.3): the padding of PKCS #1 v1.5, byte by byte, and numbers at the edges. */
export function rsaVectors(source: Source): Vector[] {
  return [
    ...shapes(source),
    ...paddings(source),
    ...changedBlocks(source),
    ...numbers(source),
    ...others(source),
  ];
}

function shapes(source: Source): Vector[] {
  const input = inputOf(source);
  const good = padded(sizeOf(source), Buffer.concat([hex(PREFIXES.sha256), digestOf(input)]));
  return named('valid', {
    'a genuine signature': tokenOf(input, source.sign(input)),
    'the same, of our own block': block(source, input, good),
    'the signature begins with a zero byte': until(source, randomUUID, (each) => each[0] === 0),
  });
}

/** Blocks that are wrong in one way (Wycheproof ModifiedPadding). */
function paddings(source: Source): Vector[] {
  const input = inputOf(source);
  const size = sizeOf(source);
  const digest = digestOf(input);
  const infoOf = (start: string, value = digest) => Buffer.concat([hex(start), value]);
  const info = infoOf(PREFIXES.sha256);
  const good = padded(size, info);
  const short = (length: number, garbage: number) =>
    Buffer.concat([
      hex('0001'),
      Buffer.alloc(length, 0xff),
      hex('00'),
      info,
      Buffer.alloc(size - info.length - length - 3, garbage),
    ]);
  const OID = '60864801650304020105';
  const all: Record<string, Buffer> = {
    'no parameters in the algorithm': padded(size, infoOf('302f300b06096086480165030402010420')),
    'empty parameters': padded(size, infoOf(`3030300c0609608648016503040201050420`)),
    'parameters that are no NULL': padded(size, infoOf(PREFIXES.sha256.replace('0500', '0400'))),
    'a NULL with a byte in it': padded(size, infoOf(`3032300e06096086480165030402010501000420`)),
    'a long form of the first length': padded(size, infoOf(`308131${PREFIXES.sha256.slice(4)}`)),
    'a long form of the second length': padded(
      size,
      infoOf(`303230810d${PREFIXES.sha256.slice(8)}`),
    ),
    'a long form of the last length': padded(
      size,
      infoOf(`3032300d06096086480165030402010500048120`),
    ),
    'an indefinite length': padded(
      size,
      Buffer.concat([infoOf(`3080${PREFIXES.sha256.slice(4)}`), hex('0000')]),
    ),
    'a length that is one too much': padded(size, infoOf(`3032${PREFIXES.sha256.slice(4)}`)),
    'a length that is one too little': padded(size, infoOf(`3030${PREFIXES.sha256.slice(4)}`)),
    'a set in place of a sequence': padded(size, infoOf(`31${PREFIXES.sha256.slice(2)}`)),
    'another algorithm in the block': padded(
      size,
      infoOf(PREFIXES.sha256.replace(OID, '60864801650304020205')),
    ),
    'the digest of SHA-224 by name': padded(
      size,
      infoOf(PREFIXES.sha256.replace(OID, '60864801650304020405')),
    ),
    'no DigestInfo': padded(size, digest),
    'the digest cut by a byte': padded(size, infoOf(PREFIXES.sha256, digest.subarray(0, 31))),
    'the digest and a byte more': padded(
      size,
      infoOf(PREFIXES.sha256, Buffer.concat([digest, hex('00')])),
    ),
    'a byte behind the DigestInfo': padded(size, Buffer.concat([info, hex('00')])),
    'a digest of zeros': padded(size, infoOf(PREFIXES.sha256, Buffer.alloc(32))),
    'the text in place of its digest': padded(
      size,
      infoOf(PREFIXES.sha256, Buffer.from(input).subarray(0, 32)),
    ),
    'the digest twice': padded(size, Buffer.concat([info, digest])),
    'block type 0': Buffer.concat([hex('0000'), good.subarray(2)]),
    'block type 2': Buffer.concat([hex('0002'), good.subarray(2)]),
    'block type 3': Buffer.concat([hex('0003'), good.subarray(2)]),
    'filled with zeros': padded(size, info, 0),
    'filled with ones': padded(size, info, 1),
    'filled with fe': padded(size, info, 0xfe),
    'no filling, then zeros (Bleichenbacher 2006)': short(0, 0),
    'eight bytes of filling, then zeros (Bleichenbacher 2006)': short(8, 0),
    'eight bytes of filling, then ff': short(8, 0xff),
    'seven bytes of filling, then zeros': short(7, 0),
    'no separator': Buffer.concat([hex('0001'), Buffer.alloc(size - info.length - 2, 0xff), info]),
    'a separator of ff': Buffer.concat([good.subarray(0, size - info.length - 1), hex('ff'), info]),
    'two separators': Buffer.concat([
      hex('0001'),
      Buffer.alloc(size - info.length - 4, 0xff),
      hex('0000'),
      info,
    ]),
    'the block shifted by a byte': Buffer.concat([good.subarray(1), hex('00')]),
  };
  const entries = Object.entries(all).map(([name, each]) => [name, block(source, input, each)]);
  return named('invalid', Object.fromEntries(entries) as Record<string, string>);
}

/** Each byte of the end of the block, of its beginning, and some between. */
function changedBlocks(source: Source): Vector[] {
  const input = inputOf(source);
  const good = padded(sizeOf(source), Buffer.concat([hex(PREFIXES.sha256), digestOf(input)]));
  const places = Array.from(good.keys()).filter(
    (at) => at > 0 && (at < 12 || at > good.length - 54 || at % 16 === 0),
  );
  return places.map((at) => {
    const changed = Buffer.from(good);
    changed[at]! ^= 1 << (at % 8);
    return {
      name: `byte ${at} of the block changed`,
      token: block(source, input, changed),
      verdict: 'invalid',
    };
  });
}

/** Numbers at the edges, other lengths, and the form of the signature. */
function numbers(source: Source): Vector[] {
  const input = inputOf(source);
  const size = sizeOf(source);
  const signature = source.sign(input);
  const modulus = Buffer.from(source.verifyWith.export({ format: 'jwk' }).n!, 'base64url');
  const value = (bytes: Buffer) => BigInt(`0x${bytes.toString('hex')}`);
  const bytesOf = (of: bigint) => {
    const digits = of.toString(16);
    return hex(digits.padStart(Math.max(size * 2, digits.length + (digits.length % 2)), '0'));
  };
  const [n, s] = [value(modulus), value(signature)];
  const bits = [0, 1, 7, 8, 100, 511, size * 4, size * 8 - 1];
  const all: Record<string, Buffer> = {
    zero: Buffer.alloc(size),
    one: bytesOf(1n),
    two: bytesOf(2n),
    'the modulus': modulus,
    'the modulus less one': bytesOf(n - 1n),
    'the modulus and one': bytesOf(n + 1n),
    'the signature and the modulus': bytesOf(s + n),
    'the modulus less the signature': bytesOf(n - s),
    'only ff': Buffer.alloc(size, 0xff),
    'a zero byte before': Buffer.concat([hex('00'), signature]),
    'a zero byte behind': Buffer.concat([signature, hex('00')]),
    'without its first byte': signature.subarray(1),
    'without its last byte': signature.subarray(0, -1),
    'little-endian': Buffer.from(signature).reverse(),
    twice: Buffer.concat([signature, signature]),
    'hexadecimal digits': Buffer.from(signature.toString('hex')),
    'no bytes': Buffer.alloc(0),
    'one zero byte': Buffer.alloc(1),
    ...Object.fromEntries(
      bits.map((bit) => {
        const changed = Buffer.from(signature);
        changed[bit >> 3]! ^= 128 >> (bit & 7);
        return [`bit ${bit} flipped`, changed];
      }),
    ),
  };
  const zero = until(source, randomUUID, (each) => each[0] === 0);
  const [head, payload, last] = zero.split('.') as [string, string, string];
  const shorter = Buffer.from(last, 'base64url').subarray(1).toString('base64url');
  const entries = Object.entries(all).map(([name, each]) => [name, tokenOf(input, each)]);
  return named('invalid', {
    ...(Object.fromEntries(entries) as Record<string, string>),
    'without the zero byte that it begins with': `${head}.${payload}.${shorter}`,
  });
}

/** Signatures of another key, scheme, hash or text. */
function others(source: Source): Vector[] {
  const input = inputOf(source);
  const { signWith } = source;
  const by = (key: KeyObject, hash = 'sha256', more = {}, text = input) =>
    tokenOf(input, sign(hash, Buffer.from(text), { key, ...more }));
  const pss = (saltLength: number) => ({ padding: constants.RSA_PKCS1_PSS_PADDING, saltLength });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey;
  return named('invalid', {
    'another key': by(stranger),
    'a key of 1024 bits': by(small),
    'PSS with a salt of 32 bytes': by(signWith, 'sha256', pss(32)),
    'PSS without a salt': by(signWith, 'sha256', pss(0)),
    'PSS with SHA-512': by(signWith, 'sha512', pss(64)),
    'SHA-1': by(signWith, 'sha1'),
    'SHA-384': by(signWith, 'sha384'),
    'SHA-512': by(signWith, 'sha512'),
    MD5: by(signWith, 'md5'),
    'the header alone': by(signWith, 'sha256', {}, input.split('.')[0]),
    'the payload alone': by(signWith, 'sha256', {}, input.split('.')[1]),
    'the input and a newline': by(signWith, 'sha256', {}, `${input}\n`),
    'a signature of no text': by(signWith, 'sha256', {}, ''),
    'the name SHA-512 before a digest of SHA-256': block(
      source,
      input,
      padded(sizeOf(source), Buffer.concat([hex(PREFIXES.sha512), digestOf(input)])),
    ),
    'the name SHA-256 before a digest of SHA-512': block(
      source,
      input,
      padded(sizeOf(source), Buffer.concat([hex(PREFIXES.sha256), digestOf(input, 'sha512')])),
    ),
  });
}
