import { randomUUID } from 'node:crypto';
import type { problems } from '#src/platform/http/problems';
import { PROOF_ALGORITHMS } from '#src/protect/proof-key';

type Said = typeof problems;
type Code =
  | 'invalid_request'
  | 'token_missing'
  | 'token_expired'
  | 'token_invalid'
  | 'session_ended'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'forbidden'
  | 'unavailable';

/** The refusals of the server's own guards: the types compare each word. */
const SAID: { readonly [C in Code]: readonly [Said[C][0], Said[C][1], Said[C][2]] } = {
  invalid_request: [400, 'fix_request', 'The request does not match the documented shape'],
  token_missing: [401, 'sign_in', 'This request needs an access token'],
  token_expired: [401, 'refresh', 'The access token expired'],
  token_invalid: [401, 'sign_in', 'The access token is not valid here'],
  session_ended: [401, 'sign_in', 'This session has ended'],
  invalid_dpop_proof: [
    401,
    'fix_request',
    'The proof of possession is missing, wrong, or was used before',
  ],
  use_dpop_nonce: [401, 'fix_request', 'The proof of possession needs a nonce of this server'],
  forbidden: [403, 'stop', 'You are not allowed to do this'],
  unavailable: [503, 'wait', 'The server cannot answer right now'],
};

const REALM = 'Bearer realm="sallyport"';

/** RFC 6750 §3. */
const CHALLENGES: Partial<Record<Code, string>> = {
  token_missing: REALM,
  token_expired: `${REALM}, error="invalid_token", error_description="The access token expired"`,
  token_invalid: `${REALM}, error="invalid_token"`,
  session_ended: `${REALM}, error="invalid_token"`,
  invalid_dpop_proof: `${REALM}, error="invalid_dpop_proof"`,
  use_dpop_nonce: `${REALM}, error="use_dpop_nonce"`,
  forbidden: `${REALM}, error="insufficient_scope"`,
};

const ALGORITHMS = `algs="${PROOF_ALGORITHMS.join(' ')}"`;
const asDpop = (challenge: string) => challenge.replace(/^Bearer (.*)/, `DPoP $1, ${ALGORITHMS}`);

/** RFC 9449 §7.1: a token of the scheme DPoP, and a proof, are refused in that scheme. Who sent none may choose. */
function challengeOf({ code, isOfKey }: Refusal, { takesDpop, sentDpop }: Asked) {
  const known = CHALLENGES[code];
  if (!takesDpop || !known) return known;
  if (code === 'token_missing') return `${asDpop(known)}, ${known}`;
  const isDpop = isOfKey || sentDpop || code === 'invalid_dpop_proof' || code === 'use_dpop_nonce';
  return isDpop ? asDpop(known) : known;
}

/** In seconds. */
const RETRY_AFTER = '2';

interface Members {
  /** What is wrong with the proof, or with how the token was sent. */
  detail?: string;
  required?: readonly string[];
  errors?: readonly { pointer: string; code: string; message: string }[];
}

/** Why a request is not let in. */
export class Refusal extends Error {
  readonly code: Code;
  readonly members: Members;
  /** True if the token is bound to a key, however it was sent. */
  readonly isOfKey: boolean;

  constructor(
    code: Code,
    { cause, isOfKey = false, ...members }: Members & ErrorOptions & { isOfKey?: boolean } = {},
  ) {
    super(SAID[code][2], { cause });
    this.name = 'Refusal';
    this.code = code;
    this.members = members;
    this.isOfKey = isOfKey;
  }
}

/** What to answer to a request that is not let in (RFC 9457). */
export interface Problem {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: {
    readonly type: string;
    readonly title: string;
    readonly status: number;
    readonly code: string;
    readonly action: string;
    readonly requestId: string;
  } & Members;
}

/** How a request was sent, and to whom. */
export interface Asked {
  /** Where the pages are that explain problems. */
  readonly url: string;
  readonly takesDpop: boolean;
  readonly sentDpop: boolean;
  readonly headers: Readonly<Record<string, string>>;
}

export function problemOf(refusal: Refusal, asked: Asked): Problem {
  const { code, members } = refusal;
  const [status, action, title] = SAID[code];
  const requestId = randomUUID();
  const challenge = challengeOf(refusal, asked);
  const type = `${asked.url}/problems/${code}`;
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      ...asked.headers,
      ...(challenge && { 'WWW-Authenticate': challenge }),
      ...(status === 503 && { 'Retry-After': RETRY_AFTER }),
    },
    body: { type, title, status, code, action, requestId, ...members },
  };
}
