import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AskedRequest } from '#src/protect/credential';
import { missing, type Principal, type Required } from '#src/protect/principal';
import { Refusal, type Problem } from '#src/protect/refusal';

/** What `verify` answers: one of the two. */
export type Verdict =
  | {
      readonly principal: Principal;
      /** To answer with: the nonce for the next proof, with `dpop: { nonces: true }`. */
      readonly headers: Readonly<Record<string, string>>;
      readonly problem?: undefined;
    }
  | { readonly problem: Problem; readonly principal?: undefined; readonly headers?: undefined };
export type Verify = (request: AskedRequest, required?: Required) => Promise<Verdict>;

declare global {
  namespace Express {
    interface Request {
      /** Whom a guard of `sallyport/protect` let in. */
      auth?: Principal;
    }
  }
}

interface GuardedRequest extends IncomingMessage {
  auth?: Principal;
}
/** Middleware of Express, or of anything else that calls it so. */
export type Guard = (
  req: GuardedRequest,
  res: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/** The guards for Express. They answer refusals themselves. */
export interface Guards {
  /** Lets in whom `verify` lets in. `req.auth` is then the principal. */
  readonly authenticate: () => Guard;
  /** Stands after `authenticate()`. Any one of these roles opens. */
  readonly requireRole: (...names: [string, ...string[]]) => Guard;
  /** Stands after `authenticate()`. All of these permissions are needed. */
  readonly requirePermission: (...names: [string, ...string[]]) => Guard;
}

export function guardsOf(
  verify: Verify,
  problemOf: (refusal: Refusal, request: AskedRequest) => Problem,
): Guards {
  const require =
    (required: Required): Guard =>
    (req, res, next) => {
      const names = req.auth && missing(req.auth, required);
      if (req.auth && !names) return next();
      const refusal = names ? new Refusal('forbidden', { required: names }) : noPrincipal();
      answer(res, problemOf(refusal, req));
    };
  return {
    authenticate: (...given: unknown[]) => {
      if (given.length > 0) throw new TypeError('Write authenticate(): it takes nothing');
      return (req, res, next) => {
        verify(req).then(({ principal, headers, problem }) => {
          if (problem) return answer(res, problem);
          for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
          req.auth = principal;
          next();
        }, next);
      };
    },
    requireRole: (...names) => require({ roles: checkedNames('requireRole', names) }),
    requirePermission: (...names) =>
      require({ permissions: checkedNames('requirePermission', names) }),
  };
}

const noPrincipal = () => new Refusal('token_missing');

/** A guard that names nothing would open to everybody, or to nobody. */
function checkedNames(guard: string, names: readonly unknown[]): readonly string[] {
  if (names.length > 0 && names.every((name) => typeof name === 'string' && name !== ''))
    return names as readonly string[];
  throw new TypeError(`Write ${guard}('…'), with one name or more`);
}

function answer(res: ServerResponse, { status, headers, body }: Problem): void {
  res.writeHead(status, headers).end(JSON.stringify(body));
}
