import type { ProblemCode } from '#src/platform/http/problem';

const text = (description: string, example: string) => ({
  description,
  schema: { type: 'string' as const },
  example,
});

/** The headers that a client may want to read, as `components.headers`. */
export const headerComponents = {
  'X-Request-Id': text(
    'Names this request in the log of the server. The same as `requestId` of a problem.',
    '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20',
  ),
  'WWW-Authenticate': text(
    'RFC 6750 §3, RFC 9470 §3.',
    'Bearer realm="sallyport", error="invalid_token"',
  ),
  'Retry-After': {
    description: 'Seconds to wait before the next request (RFC 9110 §10.2.3).',
    schema: { type: 'integer' as const, minimum: 1 },
    example: 30,
  },
  RateLimit: text(
    'The limit that was reached (draft-ietf-httpapi-ratelimit-headers-10).',
    '"code-network-60";r=0;t=30',
  ),
  'RateLimit-Policy': text(
    'All limits that count for this request (draft-ietf-httpapi-ratelimit-headers-10).',
    '"code-network-60";q=30;w=60',
  ),
  ETag: text(
    'Names this state of what was asked for (RFC 9110 §8.8.3). Send it as `If-Match` with a change.',
    '"x3m0Yl1Qn8bJ5fKqT2cV7w"',
  ),
  Location: text('Where the browser goes next.', 'https://app.example.com/signed-in?code=…'),
};
type HeaderName = keyof typeof headerComponents;

const byStatus: Record<string, readonly HeaderName[]> = {
  302: ['Location'],
  303: ['Location'],
  401: ['WWW-Authenticate'],
  429: ['Retry-After', 'RateLimit', 'RateLimit-Policy'],
  503: ['Retry-After'],
};

/** The 403s that have a challenge. */
const CHALLENGED: readonly ProblemCode[] = ['forbidden', 'step_up_required'];

const reference = (name: HeaderName) => ({ $ref: `#/components/headers/${name}` as const });
/** Of an answer that has one. */
export const etagHeader = { ETag: reference('ETag') };

/** The headers of one answer, as references to the components. */
export function headersFor(status: string, codes: readonly ProblemCode[] = []) {
  const names: HeaderName[] = ['X-Request-Id', ...(byStatus[status] ?? [])];
  if (codes.some((code) => CHALLENGED.includes(code))) names.push('WWW-Authenticate');
  return Object.fromEntries(names.map((name) => [name, reference(name)]));
}
