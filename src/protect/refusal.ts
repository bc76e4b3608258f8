import { randomUUID } from 'node:crypto';
import type { problems } from '#src/platform/http/problems';

type Said = typeof problems;
type Code =
  | 'invalid_request'
  | 'token_missing'
  | 'token_expired'
  | 'token_invalid'
  | 'session_ended'
  | 'forbidden'
  | 'unavailable';

/** The refusals of the server's own guards: the types compare each word. */
const SAID: { readonly [C in Code]: readonly [Said[C][0], Said[C][1], Said[C][2]] } = {
  invalid_request: [400, 'fix_request', 'The request does not match the documented shape'],
  token_missing: [401, 'sign_in', 'This request needs an access token'],
  token_expired: [401, 'refresh', 'The access token expired'],
  token_invalid: [401, 'sign_in', 'The access token is not valid here'],
  session_ended: [401, 'sign_in', 'This session has ended'],
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
  forbidden: `${REALM}, error="insufficient_scope"`,
};

/** In seconds. */
const RETRY_AFTER = '2';

interface Members {
  required?: readonly string[];
  errors?: readonly { pointer: string; code: string; message: string }[];
}

/** Why a request is not let in. */
export class Refusal extends Error {
  readonly code: Code;
  readonly members: Members;

  constructor(code: Code, { cause, ...members }: Members & ErrorOptions = {}) {
    super(SAID[code][2], { cause });
    this.name = 'Refusal';
    this.code = code;
    this.members = members;
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

/** `url`: where the pages are that explain problems. */
export function problemOf({ code, members }: Refusal, url: string): Problem {
  const [status, action, title] = SAID[code];
  const requestId = randomUUID();
  const challenge = CHALLENGES[code];
  return {
    status,
    headers: {
      'Content-Type': 'application/problem+json; charset=utf-8',
      'Cache-Control': 'no-store',
      'X-Request-Id': requestId,
      ...(challenge && { 'WWW-Authenticate': challenge }),
      ...(status === 503 && { 'Retry-After': RETRY_AFTER }),
    },
    body: { type: `${url}/problems/${code}`, title, status, code, action, requestId, ...members },
  };
}
