import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT, type JWK } from 'jose';
import { afterAll } from 'vitest';

type Claims = Record<string, unknown>;
/** A key that a provider signs ID tokens with. */
interface Signer {
  privateKey: KeyObject;
  publicKey: KeyObject;
  /** As its key set has it. */
  jwk: JWK;
  privateJwk: JWK;
  /** A token with exactly these claims. `undefined` leaves a claim out. */
  sign(claims: Claims): Promise<string>;
}

export async function newSigner(kid: string, alg: 'RS256' | 'ES256' = 'RS256'): Promise<Signer> {
  const { privateKey, publicKey } =
    alg === 'RS256'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const names = { kid, alg, use: 'sig' };
  return {
    privateKey,
    publicKey,
    jwk: { ...(await exportJWK(publicKey)), ...names },
    privateJwk: { ...(await exportJWK(privateKey)), ...names },
    sign: (claims) =>
      new SignJWT(JSON.parse(JSON.stringify(claims)) as Claims)
        .setProtectedHeader({ alg, kid })
        .sign(privateKey),
  };
}

const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** A token with any header, and a signature that `sign` makes of the rest. */
export function assemble(header: object, claims: object, sign: (text: string) => string): string {
  const text = `${part(header)}.${part(claims)}`;
  return `${text}.${sign(text)}`;
}

export const seconds = (): number => Math.floor(Date.now() / 1000);
/** What every ID token has. */
export const standardClaims = (issuer: string, audience: unknown, sub: string): Claims => ({
  iss: issuer,
  aud: audience,
  sub,
  iat: seconds(),
  exp: seconds() + 600,
});

/** A server on loopback that ends with the test file. */
export async function listenOnLoopback(listener: RequestListener) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A key server on loopback, at any path. Tests change its keys, or put something else in the place of its answer. */
export async function startKeyServer(...signers: Signer[]) {
  const state = {
    keys: signers.map(({ jwk }) => jwk),
    asked: 0,
    instead: undefined as RequestListener | undefined,
  };
  const { url } = await listenOnLoopback((req, res) => {
    state.asked++;
    if (state.instead) state.instead(req, res);
    else
      res
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ keys: state.keys }));
  });
  return { url, state };
}
