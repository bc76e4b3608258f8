import { createHash, generateKeyPairSync, randomBytes, sign, type KeyObject } from 'node:crypto';

/** What CBOR can hold, as far as WebAuthn needs it (RFC 8949). */
export type Cbor = number | string | Uint8Array | readonly Cbor[] | ReadonlyMap<Cbor, Cbor>;

function head(major: number, length: number): Buffer {
  if (length < 24) return Buffer.from([(major << 5) | length]);
  const size = length < 2 ** 8 ? 1 : length < 2 ** 16 ? 2 : 4;
  const bytes = Buffer.alloc(1 + size);
  bytes[0] = (major << 5) | (23 + size - (size === 4 ? 1 : 0));
  bytes.writeUIntBE(length, 1, size);
  return bytes;
}

export function cbor(value: Cbor): Buffer {
  if (typeof value === 'number') return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === 'string')
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  if (value instanceof Map)
    return Buffer.concat([head(5, value.size), ...[...value].flat().map((each) => cbor(each))]);
  const items = value as readonly Cbor[];
  return Buffer.concat([head(4, items.length), ...items.map(cbor)]);
}

const b64 = (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64url');
const sha256 = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest();

type Algorithm = 'ES256' | 'EdDSA' | 'RS256' | 'ES384';

const CURVES = {
  ES256: { namedCurve: 'P-256', alg: -7, crv: 1 },
  ES384: { namedCurve: 'P-384', alg: -35, crv: 2 },
};

function newKey(algorithm: Algorithm): { privateKey: KeyObject; cose: Map<Cbor, Cbor> } {
  const bytes = (text: string | undefined) => Buffer.from(text!, 'base64url');
  if (algorithm === 'RS256') {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const { n, e } = publicKey.export({ format: 'jwk' });
    const cose: [Cbor, Cbor][] = [[1, 3], [3, -257], [-1, bytes(n)], [-2, bytes(e)]]; // prettier-ignore
    return { privateKey, cose: new Map(cose) };
  }
  if (algorithm === 'EdDSA') {
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const { x } = publicKey.export({ format: 'jwk' });
    const cose: [Cbor, Cbor][] = [[1, 1], [3, -8], [-1, 6], [-2, bytes(x)]]; // prettier-ignore
    return { privateKey, cose: new Map(cose) };
  }
  const { namedCurve, alg, crv } = CURVES[algorithm];
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve });
  const { x, y } = publicKey.export({ format: 'jwk' });
  const cose: [Cbor, Cbor][] = [
    [1, 2],
    [3, alg],
    [-1, crv],
    [-2, bytes(x)],
    [-3, bytes(y)],
  ];
  return { privateKey, cose: new Map(cose) };
}

interface Flags {
  /** User present. */
  up: boolean;
  /** User verified. */
  uv: boolean;
  /** The credential may be copied to other devices. */
  be: boolean;
  /** It was copied. */
  bs: boolean;
}

/** What an authenticator or a browser says otherwise than it should. */
export interface Lies extends Partial<Flags> {
  origin?: string;
  challenge?: string;
  /** `webauthn.create`, `webauthn.get`. */
  type?: string;
  rpId?: string;
  counter?: number;
  userHandle?: string | null;
  /** More members of the client data. */
  clientData?: object;
  /** Whose key signs. */
  privateKey?: KeyObject;
  fmt?: string;
  attStmt?: Cbor;
  /** In place of the attestation object. */
  attestationObject?: Uint8Array;
  /** Behind the authenticator data. */
  surplus?: Uint8Array;
}

interface Creation {
  challenge: string;
  rp: { id: string };
  user: { id: string };
}
interface Request {
  challenge: string;
  rpId: string;
}

export interface AuthenticatorOptions {
  origin: string;
  algorithm?: Algorithm;
  aaguid?: string;
  transports?: string[];
  credentialId?: Buffer;
  /** The first signature counts 1, the next 2. Default: it does not count, as most passkeys. */
  counts?: boolean;
}

/** An authenticator with one credential, and the browser in front of it. It does what it is told, forgeries included. */
export function createAuthenticator({
  origin,
  algorithm = 'ES256',
  aaguid = '00000000-0000-0000-0000-000000000000',
  transports = ['internal', 'hybrid'],
  credentialId = randomBytes(32),
  counts = false,
}: AuthenticatorOptions) {
  const { privateKey, cose } = newKey(algorithm);
  const id = b64(credentialId);
  let counter = 0;
  let userHandle = '';

  const clientDataOf = (type: string, challenge: string, lies: Lies) =>
    Buffer.from(
      JSON.stringify({
        type: lies.type ?? type,
        challenge: lies.challenge ?? challenge,
        origin: lies.origin ?? origin,
        crossOrigin: false,
        ...lies.clientData,
      }),
    );
  const authDataOf = (rpId: string, attested: Buffer | undefined, lies: Lies) => {
    const { up = true, uv = true, be = true, bs = true } = lies;
    const flags = [up && 1, uv && 4, be && 8, bs && 16, attested && 64];
    const count = Buffer.alloc(4);
    count.writeUInt32BE(lies.counter ?? (counts ? ++counter : 0));
    return Buffer.concat([
      sha256(lies.rpId ?? rpId),
      Buffer.from([flags.reduce<number>((sum, flag) => sum + (flag || 0), 0)]),
      count,
      attested ?? Buffer.alloc(0),
      lies.surplus ?? Buffer.alloc(0),
    ]);
  };
  const signed = (bytes: Buffer, key: KeyObject) =>
    sign(key.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, key);

  return {
    id,
    privateKey,
    /** As if another server had registered it, for this user. Answers the COSE key in base64url, which that one has. */
    known(userId: string) {
      userHandle = b64(userId);
      return { publicKey: b64(cbor(cose)) };
    },
    /** What the browser answers to `navigator.credentials.create()`. */
    register({ challenge, rp, user }: Creation, lies: Lies = {}) {
      userHandle = user.id;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const model = Buffer.from(aaguid.replaceAll('-', ''), 'hex');
      const attested = Buffer.concat([model, length, credentialId, cbor(cose)]);
      const attestation: [Cbor, Cbor][] = [
        ['fmt', lies.fmt ?? 'none'],
        ['attStmt', lies.attStmt ?? new Map()],
        ['authData', authDataOf(rp.id, attested, lies)],
      ];
      return {
        id,
        rawId: id,
        type: 'public-key',
        authenticatorAttachment: 'platform',
        clientExtensionResults: { credProps: { rk: true } },
        response: {
          clientDataJSON: b64(clientDataOf('webauthn.create', challenge, lies)),
          attestationObject: b64(lies.attestationObject ?? cbor(new Map(attestation))),
          transports,
        },
      };
    },
    /** What the browser answers to `navigator.credentials.get()`. */
    sign({ challenge, rpId }: Request, lies: Lies = {}) {
      const clientData = clientDataOf('webauthn.get', challenge, lies);
      const authData = authDataOf(rpId, undefined, lies);
      const bytes = Buffer.concat([authData, sha256(clientData)]);
      return {
        id,
        rawId: id,
        type: 'public-key',
        authenticatorAttachment: 'platform',
        clientExtensionResults: {},
        response: {
          clientDataJSON: b64(clientData),
          authenticatorData: b64(authData),
          signature: b64(signed(bytes, lies.privateKey ?? privateKey)),
          userHandle: lies.userHandle === undefined ? userHandle : lies.userHandle,
        },
      };
    },
  };
}
