/** An ECDSA key on P-256. Its private part need not be known to the program. */
export interface SigningKey {
  readonly jwk: { kty?: string; crv?: string; x?: string; y?: string };
  /** ECDSA with SHA-256. The signature is r and s, 64 bytes together (IEEE P1363). */
  readonly sign: (bytes: Uint8Array) => Promise<ArrayBuffer>;
  /** SHA-256. Default: that of WebCrypto. */
  readonly digest?: ((bytes: Uint8Array) => Promise<ArrayBuffer>) | undefined;
}
/** The key of this name. It is made if there is none yet. */
export type OpenKey = (name: string) => Promise<SigningKey>;

export const bytesOf = (text: string) => new TextEncoder().encode(text);

export const base64url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');

type Key = Parameters<typeof crypto.subtle.sign>[1];
interface Pair {
  privateKey: Key;
  publicKey: Key;
}
const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

function makePair(): Promise<Pair> {
  // Browsers have it on pages over https and on localhost.
  if (!globalThis.crypto?.subtle)
    throw new TypeError('DPoP needs WebCrypto: a page over https, or a key of your own');
  return crypto.subtle.generateKey(ECDSA, false, ['sign', 'verify']);
}

async function signingKey({ privateKey, publicKey }: Pair): Promise<SigningKey> {
  const jwk = await crypto.subtle.exportKey('jwk', publicKey);
  return { jwk, sign: (bytes) => crypto.subtle.sign(ECDSA, privateKey, new Uint8Array(bytes)) };
}

/** Keys that are gone with the program. */
export function memoryKeys(): OpenKey {
  const keys = new Map<string, Promise<SigningKey>>();
  return (name) => {
    const key = keys.get(name) ?? makePair().then(signingKey);
    keys.set(name, key);
    return key;
  };
}

/** What is used of IndexedDB. */
interface Asked<T> {
  result: T;
  error: unknown;
  addEventListener: (type: 'success' | 'error' | 'upgradeneeded', listener: () => void) => void;
}
interface Store {
  get: (name: string) => Asked<Pair | undefined>;
  put: (pair: Pair, name: string) => Asked<unknown>;
}
interface Database {
  createObjectStore: (name: string) => void;
  transaction: (name: string, mode: 'readwrite') => { objectStore: (name: string) => Store };
  close: () => void;
}

const answered = <T>(asked: Asked<T>): Promise<T> =>
  new Promise((done, failed) => {
    asked.addEventListener('success', () => done(asked.result));
    asked.addEventListener('error', () => failed(asked.error));
  });

const KEYS = 'keys';

/** Keys of a browser, shared by all tabs of the origin. No script can read their private part, not even one of the app. */
export function indexedDbKeys(database = 'sallyport'): OpenKey {
  const { indexedDB } = globalThis as unknown as {
    indexedDB: { open: (name: string) => Asked<Database> };
  };
  return async (name) => {
    const opening = indexedDB.open(database);
    opening.addEventListener('upgradeneeded', () => opening.result.createObjectStore(KEYS));
    const db = await answered(opening);
    try {
      const pair = await makePair(); // nothing may be awaited inside of a transaction
      const store = db.transaction(KEYS, 'readwrite').objectStore(KEYS);
      return await signingKey(await firstOf(store, name, pair));
    } finally {
      db.close();
    }
  };
}

/** The pair that is there, or else this one. Of two tabs, both get that of the first. */
const firstOf = (store: Store, name: string, pair: Pair): Promise<Pair> =>
  new Promise((done, failed) => {
    const asked = store.get(name);
    asked.addEventListener('error', () => failed(asked.error));
    asked.addEventListener('success', () => {
      if (asked.result) return done(asked.result);
      answered(store.put(pair, name)).then(() => done(pair), failed);
    });
  });
