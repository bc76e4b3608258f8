import { createCipheriv, scrypt } from 'node:crypto';
import { CRYPT64, crypt64, numberOf } from '#src/platform/crypto/hashes/crypt64';
import {
  BASE64,
  bytesOf,
  isDigest,
  isSame,
  type Reader,
  type StoredHash,
} from '#src/platform/crypto/hashes/foreign';

/** How many of N·r·p cost one round of bcrypt. */
const PER_ROUND = 170;

interface Parameters {
  ln: number;
  r: number;
  p: number;
}

/** PHC and passlib: `$scrypt$ln=<log2 N>,r=<r>,p=<p>$<salt>$<digest>`. */
const PHC = new RegExp(
  `^\\$scrypt\\$ln=(\\d{1,2}),r=(\\d{1,3}),p=(\\d{1,3})\\$(${BASE64})\\$(${BASE64})$`,
);
/** crypt(3) and passlib: `$7$<log2 N: 1 letter><r: 5><p: 5><salt, as text>$<digest: 43>`. */
const SEVEN = new RegExp(
  `^\\$7\\$(${CRYPT64})(${CRYPT64}{5})(${CRYPT64}{5})([^$]{1,64})\\$(${CRYPT64}{43})$`,
);
/**
 * Firebase: `$fbscrypt$v=1,n=<mem cost>,r=<rounds>,p=1,ss=<salt separator>,sk=<signer key>$<salt>$<hash>`, with
 * separator, key, salt and hash in base64.
 */
const FIREBASE = new RegExp(
  `^\\$fbscrypt\\$v=1,n=(\\d{1,2}),r=(\\d{1,3}),p=(\\d{1,3}),ss=(${BASE64}),sk=(${BASE64})\\$(${BASE64})\\$(${BASE64})$`,
);

/** Django: `scrypt$<N>$<salt, as text>$<r>$<p>$<base64>`. */
const DJANGO = new RegExp(
  `^scrypt\\$(\\d{1,9})\\$([^$]{1,64})\\$(\\d{1,3})\\$(\\d{1,3})\\$(${BASE64})$`,
);
/** Werkzeug (Flask): `scrypt:<N>:<r>:<p>$<salt, as text>$<hexadecimal>`. */
const WERKZEUG = /^scrypt:(\d{1,9}):(\d{1,3}):(\d{1,3})\$([^$]{1,64})\$([0-9a-f]+)$/;
/** better-auth: `<salt>:<digest>` in hexadecimal. The salt is used as the text that it is, with N = 2^14, r = 16, p = 1. */
const BETTER_AUTH = /^([0-9a-f]{32}):([0-9a-f]{128})$/;

/** scrypt (RFC 7914), also as Firebase uses it. */
export const readScrypt: Reader = (text) => {
  const phc = PHC.exec(text);
  if (phc) return phcHash(numbers(phc), bytesOf(phc[4]!), bytesOf(phc[5]!));
  const django = DJANGO.exec(text);
  if (django) {
    const [, n, salt, r, p, digest] = django as string[];
    return textHash([n!, r!, p!], salt!, bytesOf(digest!));
  }
  const werkzeug = WERKZEUG.exec(text);
  if (werkzeug)
    return textHash(werkzeug.slice(1, 4), werkzeug[4]!, Buffer.from(werkzeug[5]!, 'hex'));
  const betterAuth = BETTER_AUTH.exec(text);
  if (betterAuth) return betterAuthHash(betterAuth[1]!, Buffer.from(betterAuth[2]!, 'hex'));
  const seven = SEVEN.exec(text);
  if (seven) return sevenHash(seven);
  const firebase = FIREBASE.exec(text);
  return firebase ? firebaseHash(numbers(firebase), firebase.slice(4).map(bytesOf)) : undefined;
};

const numbers = ([, ln, r, p]: string[]): Parameters => ({
  ln: Number(ln),
  r: Number(r),
  p: Number(p),
});

const phcHash = (parameters: Parameters, salt: Buffer, digest: Buffer) =>
  isDigest(digest)
    ? hashOf(parameters, async (password) =>
        isSame(await derive(password, salt, digest.length, parameters), digest),
      )
    : undefined;

/** `N` itself stands in the text. It must be a power of two. */
function textHash(texts: string[], salt: string, digest: Buffer): StoredHash | undefined {
  const [n, r, p] = texts.map(Number) as [number, number, number];
  const ln = Math.log2(n);
  return Number.isInteger(ln) ? phcHash({ ln, r, p }, Buffer.from(salt), digest) : undefined;
}

function betterAuthHash(salt: string, digest: Buffer): StoredHash | undefined {
  const parameters = { ln: 14, r: 16, p: 1 };
  return hashOf(parameters, async (password) => {
    const plain = Buffer.from(password.toString().normalize('NFKC'));
    return isSame(await derive(plain, Buffer.from(salt), digest.length, parameters), digest);
  });
}

function sevenHash([, ln, r, p, salt, digest]: string[]): StoredHash | undefined {
  const parameters = { ln: numberOf(ln!), r: numberOf(r!), p: numberOf(p!) };
  return hashOf(parameters, async (password) => {
    const key = await derive(password, Buffer.from(salt!), 32, parameters);
    return isSame(Buffer.from(crypt64(key)), Buffer.from(digest!));
  });
}

/** The signer key of the project, encrypted with what scrypt makes of the password (github.com/firebase/scrypt). */
function firebaseHash(
  parameters: Parameters,
  [separator, signer, salt, hash]: Buffer[],
): StoredHash | undefined {
  if (!isDigest(hash!) || hash!.length !== signer!.length) return undefined;
  return hashOf(parameters, async (password) => {
    const key = await derive(password, Buffer.concat([salt!, separator!]), 32, parameters);
    return isSame(createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(signer!), hash!);
  });
}

function hashOf({ ln, r, p }: Parameters, matches: StoredHash['matches']): StoredHash | undefined {
  if (ln < 1 || r < 1 || p < 1) return undefined;
  return {
    rounds: (2 ** ln * r * p) / PER_ROUND,
    memory: 128 * r * (2 ** ln + p),
    parameters: `scrypt ${ln} ${r} ${p}`,
    matches,
  };
}

const derive = (password: Buffer, salt: Buffer, length: number, { ln, r, p }: Parameters) =>
  new Promise<Buffer>((resolve, reject) => {
    const options = { N: 2 ** ln, r, p, maxmem: 128 * r * (2 ** ln + p + 2) };
    scrypt(password, salt, length, options, (error, key) => (error ? reject(error) : resolve(key)));
  });
