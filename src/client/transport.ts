import type { ClientActions, Failure, Problem, Result } from '#src/client/types';

export interface Transport {
  url: string;
  fetch: typeof fetch;
  timeout: number;
  /** The refresh token is in a cookie, which the browser sends and takes by itself. */
  cookie: boolean;
}
export interface Sent {
  body?: object | null | undefined;
  token?: string | undefined;
  headers?: Record<string, string | undefined> | undefined;
}

/** A refusal of this client itself. */
export const failure = (code: keyof ClientActions, title: string, status = 0): Failure => ({
  ok: false,
  status,
  body: { code, title, status, action: 'wait' },
});

/** Asks the server once. Whatever happens is an answer. */
export async function send(
  { url, fetch, timeout, cookie }: Transport,
  method: string,
  path: string,
  { body, token, headers = {} }: Sent,
): Promise<Result<unknown>> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timeout);
  const own: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) own[name] = value;
  if (cookie) own['X-Refresh-Token'] = 'cookie';
  if (body) own['Content-Type'] = 'application/json';
  if (token) own['Authorization'] = `Bearer ${token}`;
  try {
    const answer = await fetch(url + path, {
      method,
      headers: own,
      signal: limit.signal,
      ...(body && { body: JSON.stringify(body) }),
    });
    return read(answer, await answer.text());
  } catch (error) {
    return failure('no_answer', String(error));
  } finally {
    clearTimeout(timer);
  }
}

function read({ ok, status, headers }: Response, text: string): Result<unknown> {
  const body = parsed(text);
  if (ok && (body !== undefined || !text)) return { ok, status, headers, body };
  if (!ok && (body as Problem | undefined)?.code)
    return { ok: false, status, headers, body: body as Problem };
  return { ...failure('unexpected_answer', `Something else answered ${status}`, status), headers };
}

/** Undefined for what is no JSON: a proxy or a portal has answered. */
export function parsed(text: string | null): unknown {
  try {
    return text ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}

/** How many seconds the server wants to be left alone. */
export const retryAfter = ({ headers }: { headers?: Headers }): number =>
  Number(headers?.get('Retry-After')) || 0;
