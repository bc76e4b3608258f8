import { isStream } from '#src/client/api-fetch';
import {
  base64url,
  bytesOf,
  indexedDbKeys,
  memoryKeys,
  type OpenKey,
  type SigningKey,
} from '#src/client/keys';
import type { Dpop } from '#src/client/types';

export { indexedDbKeys, memoryKeys } from '#src/client/keys';
export type { OpenKey, SigningKey } from '#src/client/keys';

/** What is known of a server. */
interface Peer {
  nonce?: string;
  /** How far its clock is ahead of that of the device, in milliseconds. */
  ahead: number;
}
/** Clocks may differ by that much. The `Date` of an answer has no fractions of a second. */
const SKEW_MS = 5000;

const originOf = (address: string) => /^\w+:\/\/[^/?#]+/.exec(address)?.[0] ?? '';
const addressOf = (input: string | URL | Request): string => {
  if (typeof input === 'string') return input;
  return 'href' in input ? input.href : input.url;
};

/** Thumbprint of the key that a token is bound to, if it is. */
function keyOf(token: string): string | undefined {
  try {
    const text = atob(token.split('.')[1]!.replaceAll('-', '+').replaceAll('_', '/'));
    return (JSON.parse(text) as { cnf?: { jkt?: string } }).cnf?.jkt;
  } catch {
    return undefined;
  }
}

/** Signing in again is all that helps. The server says the same of the refresh token, and `reason` is then `key`. */
const keyIsLost = () =>
  new Response(
    JSON.stringify({
      code: 'token_invalid',
      action: 'sign_in',
      status: 401,
      title: 'This device has lost the key of its session',
    }),
    { status: 401, headers: { 'Content-Type': 'application/problem+json' } },
  );

/** True if the server refused the proof only, so that another one may do. It has done nothing then. */
async function refusesProof(answer: Response): Promise<boolean> {
  if (answer.status !== 401 && answer.status !== 400) return false;
  const said = answer.headers.get('WWW-Authenticate') ?? '';
  const text = await answer
    .clone()
    .text()
    .catch(() => '');
  return /use_dpop_nonce|invalid_dpop_proof/.test(said + text);
}

const keysHere = (): OpenKey => ('indexedDB' in globalThis ? indexedDbKeys() : memoryKeys());

/**
 * For `createClient({ dpop: dpop() })`: binds each new session to a key of this device (RFC 9449). `open` finds the key.
 * Default: IndexedDB, shared by all tabs, and memory where there is none.
 */
export function dpop(open: OpenKey = keysHere()): Dpop {
  return (fetch, name, url) => {
    const home = originOf(url);
    const peers = new Map<string, Peer>();
    let opening: Promise<SigningKey & { thumbprint: string }> | undefined;

    const peerOf = (origin: string): Peer => {
      const peer = peers.get(origin) ?? { ahead: peers.get(home)?.ahead ?? 0 };
      peers.set(origin, peer);
      return peer;
    };
    const key = () =>
      (opening ??= opened().catch((error: unknown) => {
        opening = undefined;
        throw error;
      }));
    async function opened() {
      const found = await open(name);
      const { crv, kty, x, y } = found.jwk;
      const thumbprint = await digest(found, JSON.stringify({ crv, kty, x, y }));
      return { ...found, thumbprint };
    }

    async function proof(method: string, address: string, token?: string): Promise<string> {
      const { jwk, sign, ...own } = await key();
      const { nonce, ahead } = peerOf(originOf(address));
      const { crv, kty, x, y } = jwk;
      const coded = (value: object) => base64url(bytesOf(JSON.stringify(value)));
      const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: { crv, kty, x, y } };
      const claims = {
        jti: base64url(crypto.getRandomValues(new Uint8Array(16))),
        htm: method,
        htu: address.replace(/[?#].*$/s, ''),
        iat: Math.floor((Date.now() + ahead) / 1000),
        nonce,
        ath: token && (await digest(own, token)),
      };
      const input = `${coded(header)}.${coded(claims)}`;
      return `${input}.${base64url(new Uint8Array(await sign(bytesOf(input))))}`;
    }

    function learn(peer: Peer, { headers }: Response): void {
      const nonce = headers.get('DPoP-Nonce');
      if (nonce) peer.nonce = nonce;
      const ahead = Date.parse(headers.get('Date') ?? '') - Date.now();
      if (Math.abs(ahead - peer.ahead) > SKEW_MS) peer.ahead = ahead;
    }

    return async (input, init = {}) => {
      const request = typeof input === 'object' && 'headers' in input ? input : undefined;
      const [address, method] = [addressOf(input), init.method ?? request?.method ?? 'GET'];
      const headers = new Headers(init.headers ?? request?.headers);
      const token = /^Bearer (.*)/.exec(headers.get('Authorization') ?? '')?.[1];
      const bound = token && keyOf(token);
      const isEntrance = !token && method === 'POST' && address.startsWith(`${url}/auth/`);
      if (!bound && !isEntrance) return fetch(input, init);
      if (bound && bound !== (await key()).thumbprint) return keyIsLost();
      if (bound) headers.set('Authorization', `DPoP ${token}`);
      const peer = peerOf(originOf(address));
      const send = async () => {
        headers.set('DPoP', await proof(method.toUpperCase(), address, token));
        return fetch(request ? request.clone() : input, { ...init, headers });
      };
      const { nonce, ahead } = peer;
      const answer = await send();
      learn(peer, answer);
      // Another request may have learned it before.
      const isNew = peer.nonce !== nonce || peer.ahead !== ahead;
      if (!isNew || isStream(init.body) || !(await refusesProof(answer))) return answer;
      const second = await send();
      learn(peer, second);
      return second;
    };
  };
}

async function digest(key: Pick<SigningKey, 'digest'>, text: string): Promise<string> {
  const bytes = bytesOf(text);
  const found = await (key.digest?.(bytes) ?? crypto.subtle.digest('SHA-256', bytes));
  return base64url(new Uint8Array(found));
}
