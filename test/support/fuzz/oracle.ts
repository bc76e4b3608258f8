import { DECLARED, fault, HANGS, LEAKS, type Answer } from '#test/support/client';
import type { RawExchange } from '#test/support/fuzz/raw';
import type { FuzzRequest } from '#test/support/fuzz/requests';
import { CANARY } from '#test/support/fuzz/values';

/** What any route may answer, whatever its document says: the request was none, or was for another path. */
const ANYWHERE = new Set([400, 404, 405, 413, 415, 431]);
const OK = new Set([200, 201, 202, 204, 206, 301, 302, 303, 304]);

/** The path names the operation and nothing else: no parameter made it longer or shorter. */
const isExact = ({ operation, target, method }: FuzzRequest): boolean => {
  const parts = (path: string) => path.split('/');
  const [asked, own] = [parts(target.split('?')[0]!), parts(operation.path)];
  const same =
    asked.length === own.length &&
    own.every((part, i) => part === asked[i] || part.startsWith('{'));
  return (
    same && method === operation.method && asked.slice(1).every((part) => !/^\.{0,2}$/.test(part))
  );
};

/** A browser that a sign-in at a provider leads here is answered with a page. */
const isForPerson = ({ operation, headers }: FuzzRequest): boolean =>
  /^\/(auth\/github|oauth\/authorize)/.test(operation.path) &&
  /html/.test(String((headers as Record<string, unknown>)['accept']));

/** What is wrong with this answer, or undefined. */
export function wrongWith(request: FuzzRequest, answer: Answer, ms: number): string | undefined {
  const { operation, isForged } = request;
  const { status } = answer;
  if (isForged && status !== 401) return `a forged credential was answered ${status}`;
  const known = new Set([...operation.statuses, ...ANYWHERE]);
  if (operation.isApi && operation.statuses.length > 0 && isExact(request) && !known.has(status))
    return `${status} is not documented`;
  // HEAD has no body to look at, and OPTIONS is for CORS.
  const isProblem =
    operation.isApi && !['HEAD', 'OPTIONS'].includes(request.method) && !isForPerson(request);
  const wrong =
    isProblem && status >= 400
      ? fault(answer, operation.path, ms, 'x-refresh-token' in request.headers)
      : wrongInGeneral(answer, request, ms);
  return wrong && `the wrong ${wrong}`;
}

/** What holds for pages and compatibility adapters, too. */
function wrongInGeneral(
  { status, headers, text }: Answer,
  { operation, method }: FuzzRequest,
  ms: number,
): string | undefined {
  const has = (name: string, value: RegExp) => value.test(headers.get(name) ?? '');
  const isPublic = /^\/(docs|openapi|problems)/.test(operation.path);
  const checks: [boolean, string][] = [
    [DECLARED.has(status) || OK.has(status), 'status'],
    [ms < HANGS, 'time'],
    [isPublic || !LEAKS.test(text), 'what it gives away'],
    [has('x-content-type-options', /^nosniff$/), 'X-Content-Type-Options'],
    [has('strict-transport-security', /^max-age=31536000/), 'Strict-Transport-Security'],
    [has('content-security-policy', /default-src 'none'.*frame-ancestors 'none'/), 'CSP'],
    [!headers.has('x-powered-by'), 'X-Powered-By'],
    [has('x-request-id', /^[A-Za-z0-9-]{1,64}$/), 'X-Request-Id'],
    [headers.has('cache-control'), 'Cache-Control'],
    [status !== 401 || !operation.isApi || headers.has('www-authenticate'), 'WWW-Authenticate'],
    [status === 204 || method === 'HEAD' || isParsed(headers, text), 'body'],
  ];
  return checks.find(([good]) => !good)?.[1];
}

/** A body that is called JSON is JSON, and each of its lines if it is NDJSON, which may have none. */
function isParsed(headers: Headers, text: string): boolean {
  const type = headers.get('content-type') ?? '';
  if (!/json/.test(type)) return true;
  const documents = /ndjson/.test(type) ? text.split('\n').filter(Boolean) : [text];
  try {
    for (const document of documents) JSON.parse(document);
    return true;
  } catch {
    return false;
  }
}

/** A page, what a page loads, or the OpenAPI document: files for everybody, of which style sheets have words like `INSERT`, too. */
const isPublished = (headers: Headers, body: string): boolean =>
  /html|css|javascript|svg/.test(headers.get('content-type') ?? '') ||
  body.startsWith('{"openapi"');

/** What is wrong with the answers to these bytes. */
export function wrongOnTheWire(bytes: Buffer, { answers, ended }: RawExchange): string | undefined {
  if (!ended) return 'the connection was kept';
  // The length of an answer to HEAD is that of a body that does not come.
  const isHead = bytes.includes('HEAD');
  for (const { status, headers, body } of answers) {
    if (status === 0 && isHead) return undefined;
    if (status === 101 || status === 0) return `no answer of ours: ${body.slice(0, 80)}`;
    if (status === 100) continue;
    if (!DECLARED.has(status) && !OK.has(status)) return `the wrong status ${status}`;
    if (headers.get('x-content-type-options') !== 'nosniff') return 'a bare answer of Node';
    if (!isPublished(headers, body) && LEAKS.test(body)) return 'what it gives away';
    if (isHead) return undefined;
    if (!isParsed(headers, Buffer.from(body, 'latin1').toString())) return 'a body that is no JSON';
  }
  return undefined;
}

/** What is wrong with these lines of the log. `secrets`: what no line may have. Paths are logged, so they may have the canary. */
export function wrongInLog(
  lines: readonly string[],
  secrets: readonly string[],
): string | undefined {
  for (const line of lines) {
    if (line.length > 4096) return `a line of ${line.length} characters: ${line.slice(0, 200)}`;
    if (!isParsed(new Headers({ 'content-type': 'application/json' }), line))
      return `a line that is no JSON: ${line}`;
    const fields: Record<string, unknown> = { ...(JSON.parse(line) as object), path: undefined };
    if (JSON.stringify(fields).includes(CANARY) || secrets.some((secret) => line.includes(secret)))
      return `a secret in a line: ${line}`;
    if (fields['level'] === 'error' || fields['level'] === 'fatal') return `an error: ${line}`;
  }
  return undefined;
}
