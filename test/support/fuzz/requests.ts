import * as fc from 'fast-check';
import { encoded, formNear, jsonNear } from '#test/support/fuzz/bodies';
import type { Cast } from '#test/support/fuzz/cast';
import { PUBLIC_ORIGIN, type Operation } from '#test/support/fuzz/operations';
import { anySegments, changedText } from '#test/support/fuzz/tokens';
import { CANARY, nastyText, valueOf, type Components } from '#test/support/fuzz/values';

export interface FuzzRequest {
  operation: Operation;
  method: string;
  /** Path and query as they are sent. */
  target: string;
  headers: Record<string, string | string[]>;
  body?: Buffer;
  /** A credential that is none. No guarded route may let it in. */
  isForged?: boolean;
}

/** A request for one of these operations: mostly near to a good one. */
export function someRequest(
  operations: readonly Operation[],
  components: Components,
  cast: Cast,
): fc.Arbitrary<FuzzRequest> {
  return fc.constantFrom(...operations).chain((operation) => {
    const parts = fc.record({
      target: targetOf(operation, components, cast),
      credential: credentialOf(cast),
      headers: someHeaders(cast),
      sent: bodyOf(operation, components, cast),
      method: fc.oneof(
        { weight: 12, arbitrary: fc.constant(operation.method) },
        fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND'),
      ),
    });
    return parts.map(({ target, credential, headers, sent, method }) => ({
      operation,
      method,
      target,
      headers: { ...originOf(operation), ...headers, ...sent?.headers, ...credential },
      ...(sent && method !== 'GET' && method !== 'HEAD' && { body: sent.body }),
    }));
  });
}

/** Forms are taken from pages of the server only. */
const originOf = ({ isApi, method }: Operation) =>
  !isApi && method === 'POST' ? { origin: PUBLIC_ORIGIN } : {};

function targetOf(operation: Operation, components: Components, cast: Cast): fc.Arbitrary<string> {
  const { path, parameters } = operation;
  const textOf = (name: string, schema: object) =>
    fc.oneof(
      { weight: 4, arbitrary: valueOf(schema, components, cast.known, name).map(String) },
      nastyText,
    );
  const inPath = parameters.filter((each) => each.in === 'path');
  const inQuery = parameters.filter((each) => each.in === 'query');
  const names = fc.tuple(...inPath.map(({ name, schema }) => textOf(name, schema)));
  const query = fc.record(
    Object.fromEntries(inQuery.map(({ name, schema }) => [name, textOf(name, schema)])),
    { requiredKeys: [] },
  );
  return fc.tuple(names, query, surplus).map(([values, fields, more]) => {
    let i = 0;
    const filled = path.replaceAll(/\{\w+\}/g, () => encoded(values[i++] ?? ''));
    const entries = Object.entries(fields).map(
      ([name, value]) => `${name}=${encoded(value ?? '')}`,
    );
    const search = [...entries, ...more].join('&');
    return search ? `${filled}?${search}` : filled;
  });
}

/** What stands in a query that nobody documented: mostly nothing. */
const surplus: fc.Arbitrary<string[]> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<string[]>([]) },
  { weight: 1, arbitrary: nastyText.map((text) => [`q=${encoded(text)}`]) },
  fc.constantFrom(
    ['access_token=c4narY'],
    ['__proto__[a]=1'],
    ['limit=1', 'limit=2'],
    ['%00'],
    ['a[b][c]=1'],
    ['%'],
    ['&&&'],
    ['cursor=%7B%7D'],
    Array.from({ length: 1500 }, (_, i) => `a${i}=`),
  ),
);

/** Who asks: nobody, a user, an administrator, a key, or somebody with what is no credential. */
function credentialOf(cast: Cast): fc.Arbitrary<Record<string, string | string[]>> {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
  const { user, admin, keys, refreshTokens } = cast;
  const basic = (text: string) => ({
    authorization: `Basic ${Buffer.from(text).toString('base64')}`,
  });
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    { weight: 5, arbitrary: fc.constantFrom(bearer(user.token), bearer(user.token)) },
    { weight: 5, arbitrary: fc.constant(bearer(admin.token)) },
    { weight: 2, arbitrary: fc.constantFrom(...keys).map((key) => ({ 'x-api-key': key })) },
    { weight: 1, arbitrary: fc.constant({ 'x-access-token': user.token }) },
    { weight: 1, arbitrary: fc.constant(basic(`${user.username}:${user.password}`)) },
    { weight: 1, arbitrary: nastyText.map(basic) },
    { weight: 1, arbitrary: fc.constantFrom(...refreshTokens).map(bearer) },
    { weight: 1, arbitrary: headerText.map((text) => ({ authorization: text })) },
    { weight: 1, arbitrary: headerText.map((text) => ({ 'x-api-key': text })) },
    { weight: 1, arbitrary: fc.constant({ ...bearer(user.token), 'x-api-key': keys[0]! }) },
  );
}

/** Node's client sends Latin-1 without controls. What else there is comes over raw sockets. */
const headerText: fc.Arbitrary<string> = nastyText.map((text) =>
  text.replaceAll(/[^\t\x20-\x7e\u0080-\u00ff]/g, '?').slice(0, 6000),
);

/** Headers that servers, frameworks and proxies give a meaning, and one that none does. */
const HEADERS =
  'accept accept-charset accept-encoding accept-language access-control-request-headers access-control-request-method ' +
  'authorization cache-control connection content-encoding content-language content-type cookie date dnt expect forwarded from ' +
  'host if-match if-modified-since if-none-match if-unmodified-since if-range max-forwards origin pragma prefer ' +
  'proxy-authorization range referer te traceparent upgrade user-agent via x-access-token x-api-key ' +
  'x-csrf-token x-forwarded-for x-forwarded-host x-forwarded-port x-forwarded-proto x-forwarded-user ' +
  'x-http-method-override x-method-override x-original-url x-real-ip x-refresh-token x-request-id x-rewrite-url ' +
  'x-user sec-fetch-site c4nary';

const GOOD: Record<string, readonly string[]> = {
  accept: ['*/*', 'text/html', 'application/json;q=0', 'text/html, application/json;q=0.1'],
  origin: [
    'https://app.example',
    PUBLIC_ORIGIN,
    'null',
    'http://localhost:8081',
    'https://app.example, https://b.example',
  ],
  'access-control-request-method': ['POST', 'DELETE'],
  'if-none-match': ['*', '"a"', 'W/"a"'],
  range: ['bytes=0-0', 'bytes=5-1', 'bytes=0-0,1-1'],
  expect: ['100-continue', '200-ok'],
  connection: ['close', 'keep-alive, authorization', 'upgrade'],
  'content-encoding': ['gzip', 'br', 'identity', 'deflate, gzip'],
  'x-forwarded-for': ['1.2.3.4', '::1', 'fe80::1%eth0', '1.2.3.4, 5.6.7.8', 'unknown'],
  host: ['localhost', 'attacker.example', '[::1]:80', 'a:b:c'],
  'x-refresh-token': ['cookie', 'cookie, cookie', 'body'],
  'sec-fetch-site': ['same-origin', 'cross-site', 'none'],
  'x-request-id': ['a-b', 'x'.repeat(64), 'x'.repeat(65)],
  'content-type': [
    'text/plain',
    'application/json; charset=utf-16',
    'multipart/form-data; boundary=a',
    'application/JSON;charset="UTF-8"',
  ],
  cookie: [`token=${CANARY}`, 'a=b; a=c', '__Host-x=%', ';;;', 'a=b; '.repeat(500)],
};

/** What a page on the origin of the server sends: the refresh token is in its cookie. */
const ofOwnPage = ({ refreshTokens }: Cast) =>
  fc.constantFrom(...refreshTokens, 'x', '').map((token) => ({
    'x-refresh-token': 'cookie',
    origin: PUBLIC_ORIGIN,
    cookie: `sallyport-refresh=${token}`,
  }));

function someHeaders(cast: Cast): fc.Arbitrary<Record<string, string>> {
  const one = fc
    .constantFrom(...HEADERS.split(' '))
    .chain((name) =>
      fc
        .oneof(fc.constantFrom(...(GOOD[name] ?? ['1', cast.user.token])), headerText)
        .map((value) => [name, value] as const),
    )
    .map(
      ([name, value]) =>
        [name, name === 'x-request-id' ? value.replaceAll(CANARY, '') : value] as const,
    )
    .filter(([name]) => name !== 'connection' && name !== 'upgrade'); // for raw sockets
  const some = (maxLength: number) =>
    fc.array(one, { maxLength }).map((entries) => Object.fromEntries(entries));
  return fc.oneof(
    { weight: 4, arbitrary: fc.constant({}) },
    { weight: 4, arbitrary: some(3) },
    { weight: 2, arbitrary: some(20) },
    { weight: 1, arbitrary: ofOwnPage(cast) },
  );
}

interface Sent {
  body: Buffer;
  headers: Record<string, string>;
}
function bodyOf(
  { bodies }: Operation,
  components: Components,
  { known }: Cast,
): fc.Arbitrary<Sent | undefined> {
  const named = (type: string, body: fc.Arbitrary<Buffer>) =>
    body.map((bytes) => ({ body: bytes, headers: { 'content-type': type } }));
  const own = Object.entries(bodies).map(([type, schema]) => {
    const valid = valueOf(schema, components, known);
    return {
      weight: 12,
      arbitrary: named(type, type.endsWith('json') ? jsonNear(valid) : formNear(valid)),
    };
  });
  const none = { weight: own.length > 0 ? 1 : 8, arbitrary: fc.constant(undefined) };
  const any = named('application/json', jsonNear(fc.constant({ [CANARY]: 1 })));
  const other = fc
    .tuple(headerText, fc.uint8Array({ maxLength: 200 }))
    .map(([type, bytes]) => ({ body: Buffer.from(bytes), headers: { 'content-type': type } }));
  return fc.oneof(...own, none, any, other);
}

/** A guarded route, asked with a token that is none: changed, cut, or another text. */
export function forgedRequest(
  operations: readonly Operation[],
  cast: Cast,
): fc.Arbitrary<FuzzRequest> {
  const guarded = operations.filter(({ isApi, isMembersOnly }) => isApi && isMembersOnly);
  const { token } = cast.admin;
  const forged = fc
    .oneof({ weight: 3, arbitrary: changedText(token) }, anySegments(token))
    .map((text) => text.replaceAll(/[^\x21-\xff]/g, '~'))
    .filter((text) => text !== token);
  const place = fc.constantFrom(
    (text: string) => ({ authorization: `Bearer ${text}` }),
    (text: string) => ({ authorization: `bearer ${text}` }),
    (text: string) => ({ 'x-api-key': text }),
  );
  return fc.tuple(fc.constantFrom(...guarded), forged, place).map(([operation, text, header]) => ({
    operation,
    method: operation.method,
    target: operation.path.replaceAll(/\{\w+\}/g, cast.user.id),
    headers: header(text),
    isForged: true,
  }));
}
