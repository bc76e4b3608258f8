import { createHash, randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose';
import type { Answer, Question } from '#test/support/client';

type Ask = (method: string, path: string, question?: Question) => Promise<Answer>;
interface Wrong {
  /** In place of what a right proof has, or of nothing. Undefined leaves a member out. */
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  signWith?: CryptoKey | Uint8Array;
}

/** A client that holds a key and proves it (RFC 9449). `base`: where the server says that it is. */
export async function keyHolder(ask: Ask, base: string, alg = 'ES256') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  const secretJwk: JWK = await exportJWK(privateKey);
  const known: { nonce?: string | undefined } = {};

  const proof = (
    method: string,
    path: string,
    token?: string,
    { claims = {}, header = {}, signWith = privateKey }: Wrong = {},
  ) =>
    new SignJWT({
      jti: randomUUID(),
      htm: method,
      htu: base + path,
      iat: Math.floor(Date.now() / 1000),
      nonce: known.nonce,
      ...(token !== undefined && {
        ath: createHash('sha256').update(token).digest('base64url'),
      }),
      ...claims,
    })
      .setProtectedHeader({ typ: 'dpop+jwt', alg, jwk, ...header })
      .sign(signWith);

  /** Asks with a proof; once more, if the server wants its nonce. */
  async function asked(
    method: string,
    path: string,
    { token, headers, ...question }: Question = {},
  ): Promise<Answer> {
    const send = async () =>
      ask(method, path, {
        ...question,
        headers: {
          ...(token !== undefined && { authorization: `DPoP ${token}` }),
          dpop: await proof(method, path.split('?')[0]!, token),
          ...headers,
        },
      });
    const first = await send();
    const before = known.nonce;
    known.nonce = first.headers.get('dpop-nonce') ?? before;
    const isNonce = [first.body?.code, first.body?.error].includes('use_dpop_nonce');
    if (!isNonce || before === known.nonce) return first;
    const second = await send();
    known.nonce = second.headers.get('dpop-nonce') ?? known.nonce;
    return second;
  }
  return { ask: asked, proof, jwk, secretJwk, known };
}
