import { createHash } from 'node:crypto';
import type { Claims } from '#src/protect/access-token';
import type { Credential } from '#src/protect/credential';
import { NONCE_SECONDS, Nonces } from '#src/protect/nonces';
import type { DpopOptions } from '#src/protect/options';
import { ProofKeys } from '#src/protect/proof-key';
import { Refusal } from '#src/protect/refusal';
import { now } from '#src/protect/time';
import { UsedProofs } from '#src/protect/used-proofs';

/** Longest proof that is looked at, in characters. */
const MAX_LENGTH = 4096;
/** Without nonces: how old a proof may be, and how far ahead its clock, in seconds. */
const [OLDEST, AHEAD] = [60, 10];

/** A proof that is right. It may have been used before. */
interface Proof {
  readonly id: string;
  /** Until when it is good, in seconds since 1970. */
  readonly end: number;
}

const wrong = (detail: string, cause?: unknown) =>
  new Refusal('invalid_dpop_proof', { detail, cause });
const OFF =
  'This token is bound to a key (DPoP). This service takes no such tokens: the option `dpop` of sallyport/protect is not set.';

/** Checks that who sends a token holds the key that it is bound to (RFC 9449 §7). */
export class Possession {
  readonly #url: URL | undefined;
  readonly #nonces: Nonces | undefined;
  readonly #keys = new ProofKeys();
  readonly #used: UsedProofs;

  constructor(options: DpopOptions | undefined, secret: string) {
    this.#url = options && new URL(options.url);
    this.#nonces = options?.nonces ? new Nonces(secret) : undefined;
    this.#used = new UsedProofs(options?.nonces ? NONCE_SECONDS : OLDEST);
  }

  get isOn(): boolean {
    return this.#url !== undefined;
  }

  /** For every answer. */
  headers(): Readonly<Record<string, string>> {
    return this.#nonces ? { 'DPoP-Nonce': this.#nonces.make() } : {};
  }

  /**
   * The proof that came with a bound token; undefined for a token that is not bound. It is not spent.
   * @throws {Refusal} 401 `token_invalid`, `invalid_dpop_proof`, `use_dpop_nonce`
   */
  check(credential: Credential, { jkt }: Claims): Proof | undefined {
    const { isDpop } = credential;
    if (!this.#url) {
      if (jkt === undefined && !isDpop) return undefined;
      throw new Refusal('token_invalid', { detail: OFF });
    }
    if (jkt === undefined) {
      if (!isDpop) return undefined;
      throw new Refusal('token_invalid', {
        detail: 'This token is not bound to a key: send it as Bearer',
      });
    }
    if (!isDpop)
      throw new Refusal('token_invalid', {
        detail: 'This token is bound to a key: send it with the scheme DPoP, and a proof',
        isOfKey: true,
      });
    return this.#read(credential, jkt, this.#url);
  }

  /** Of several requests with one proof, one is let in. @throws {Refusal} 401 `invalid_dpop_proof`, `use_dpop_nonce` */
  spend({ id, end }: Proof): void {
    this.#refuseOld(end);
    if (!this.#used.use(id, end)) throw wrong('It was used before');
  }

  #read({ proof, token, method, path }: Credential, jkt: string, url: URL): Proof {
    if (proof === undefined) throw wrong('The header `DPoP` is missing');
    const { header, claims, input, signature } = parsed(proof);
    const { jti, htm, htu, ath } = claims;
    if (header['typ'] !== 'dpop+jwt') throw wrong('Its `typ` is not dpop+jwt');
    if (header['crit'] !== undefined) throw wrong('It has a `crit`');
    if (typeof jti !== 'string' || jti === '' || jti.length > 256) throw wrong('It has no `jti`');
    if (method === undefined || htm !== method) throw wrong('Its `htm` is of another method');
    if (!isAt(htu, url, path)) throw wrong('Its `htu` is of another address');
    if (ath !== digestOf(token)) throw wrong('Its `ath` is of another token, or missing');
    const end = this.#end(claims);
    this.#refuseOld(end);
    const key = this.#key(header);
    if (key.thumbprint !== jkt) throw wrong('Its key is not the one of the token');
    if (!key.isSigned(input, signature)) throw wrong('Its signature is wrong');
    return { id: digestOf(`${jkt}.${jti}`), end };
  }

  #key({ alg, jwk }: Record<string, unknown>) {
    try {
      return this.#keys.read(alg, jwk);
    } catch (cause) {
      throw wrong((cause as Error).message, cause);
    }
  }

  /** With nonces, the time of a proof is that of its nonce: clocks of devices are wrong. */
  #end({ iat, nonce }: Record<string, unknown>): number {
    if (typeof iat !== 'number') throw wrong('It has no `iat`');
    if (this.#nonces) {
      const end = this.#nonces.end(nonce);
      if (end === undefined) throw new Refusal('use_dpop_nonce');
      return end;
    }
    const age = now() / 1000 - iat;
    if (age >= OLDEST) throw wrong('Its `iat` is too old, or the clock of the client is behind');
    if (-age > AHEAD) throw wrong('Its `iat` is in the future: the clock of the client is ahead');
    return Math.ceil(iat + OLDEST);
  }

  #refuseOld(end: number): void {
    if (!this.#used.isTooOld(end)) return;
    throw this.#nonces ? new Refusal('use_dpop_nonce') : wrong('It is too old: make a new one');
  }
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('base64url');

/** What a proof says of itself. Nothing of it is believed yet. */
function parsed(proof: string) {
  const parts = proof.split('.');
  try {
    if (proof.length > MAX_LENGTH || parts.length !== 3) throw new Error('No JWT');
    const [header, claims] = parts.slice(0, 2).map((part) => {
      const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
      if (typeof value !== 'object' || value === null) throw new Error('No object');
      return value as Record<string, unknown>;
    }) as [Record<string, unknown>, Record<string, unknown>];
    const signature = Buffer.from(parts[2]!, 'base64url');
    return { header, claims, input: `${parts[0]}.${parts[1]}`, signature };
  } catch (cause) {
    throw wrong('It is no JWT', cause);
  }
}

/** Without query and fragment, normalised (RFC 3986 §6.2). Nothing that the request says of its host counts. */
function isAt(htu: unknown, { origin, pathname: base }: URL, path: string | undefined): boolean {
  if (typeof htu !== 'string' || htu.length > 2048 || !URL.canParse(htu) || path === undefined)
    return false;
  const said = new URL(htu);
  return said.origin + said.pathname === origin + base.replace(/\/$/, '') + path;
}
