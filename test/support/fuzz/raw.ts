import { connect } from 'node:net';
import * as fc from 'fast-check';
import type { FuzzRequest } from '#test/support/fuzz/requests';
import { answersIn } from '#test/support/raw-socket';

/** How long the server may keep a connection whose client sends no more, in milliseconds. */
const PATIENCE = 40_000;

/** The request in bytes, as a client writes it. */
export function bytesOf({ method, target, headers, body }: FuzzRequest): Buffer {
  const own = Object.entries({ Host: 'fuzz.test', ...headers }).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}`),
  );
  const length = body ? [`Content-Length: ${body.length}`] : [];
  const head = [`${method} ${target} HTTP/1.1`, ...own, ...length, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head, 'latin1'), body ?? Buffer.alloc(0)]);
}

type Change = (bytes: Buffer) => Buffer;
const text = (change: (latin1: string) => string): Change => {
  return (bytes) => Buffer.from(change(bytes.toString('latin1')), 'latin1');
};
const headed = (...lines: string[]): Change =>
  text((all) => all.replace('\r\n', () => `\r\n${lines.map((line) => `${line}\r\n`).join('')}`));
const firstLine = (change: (line: string) => string): Change =>
  text((all) => all.replace(/^[^\r\n]*/, (line) => change(line)));

/** The body in chunks of these sizes, or of what is said to be their size. */
const chunked = (size: (real: number) => string, end = '0\r\n\r\n'): Change =>
  text((all) => {
    const [head = '', body = ''] = all.split(/\r\n\r\n(.*)/s);
    const chunks = body.match(/.{1,7}/gs) ?? [];
    const framed = chunks.map((each) => `${size(each.length)}\r\n${each}\r\n`).join('');
    return `${head.replace(/\r\nContent-Length:[^\r]*/i, '')}\r\nTransfer-Encoding: chunked\r\n\r\n${framed}${end}`;
  });
const hex = (real: number) => real.toString(16);

/** What no HTTP client writes (RFC 9112), each with bytes that are otherwise good. */
const CHANGES: readonly Change[] = [
  chunked(hex),
  chunked(hex, `0\r\nAuthorization: Bearer x\r\n\r\n`),
  chunked(hex, '0\r\n'),
  chunked(hex, ''),
  chunked((real) => `${hex(real)};a=b`),
  chunked((real) => `${hex(real)};${'a'.repeat(20_000)}`),
  chunked((real) => hex(real + 1)),
  chunked((real) => `0x${hex(real)}`),
  chunked((real) => `-${hex(real)}`),
  chunked(() => 'ffffffffffffffff'),
  chunked(() => 'zz'),
  chunked((real) => `${'0'.repeat(5000)}${hex(real)}`),
  headed('Transfer-Encoding: chunked'),
  headed('Transfer-Encoding: chunked, identity', 'Transfer-Encoding: identity'),
  headed('Transfer-Encoding: gzip'),
  headed('Transfer-Encoding : chunked'),
  headed('Transfer-Encoding:\tchunked'),
  headed('Content-Length: 5', 'Content-Length: 6'),
  headed('Content-Length: 5, 5'),
  headed('Content-Length: -1'),
  headed('Content-Length: +5'),
  headed('Content-Length: 0x5'),
  headed('Content-Length: 99999999999999999999'),
  headed('Content-Length: 100'),
  headed('Host: other.test'),
  headed('Host:'),
  headed('Authorization: Bearer a', 'Authorization: Bearer b'),
  headed('X-API-Key: a', 'X-API-Key: b'),
  headed('Expect: 100-continue'),
  headed('Expect: 100-continue, 200-ok'),
  headed('Connection: upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Key: eA=='),
  headed('Connection: upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__'),
  headed('Connection: close'),
  headed('Connection: keep-alive, close'),
  headed(' folded: 1'),
  headed('a: 1', ' folded'),
  headed('no colon'),
  headed(': no name'),
  headed('na me: 1'),
  headed('n\u00e4me: 1'),
  headed('name: \u0000'),
  headed('name: \u0001\u007f'),
  headed('name: a\rb'),
  headed('name: a\nb: c'),
  headed(`name: ${'a'.repeat(20_000)}`),
  headed(...Array.from({ length: 3000 }, (_, i) => `a${i}: 1`)),
  headed(...Array.from({ length: 150 }, (_, i) => `a${i}: 1`)),
  headed('__proto__: 1', 'constructor: 1', 'toString: 1'),
  headed('Content-Type: text/plain', 'Content-Type: application/json'),
  headed('Content-Encoding: gzip'),
  firstLine((line) => line.replace('HTTP/1.1', 'HTTP/1.0')),
  firstLine((line) => line.replace('HTTP/1.1', 'HTTP/0.9')),
  firstLine((line) => line.replace('HTTP/1.1', 'HTTP/2.0')),
  firstLine((line) => line.replace(' HTTP/1.1', '')),
  firstLine((line) => line.replace('HTTP/1.1', 'http/1.1')),
  firstLine((line) => line.replace(' ', '  ')),
  firstLine((line) => line.replace(' ', '\t')),
  firstLine((line) => ` ${line}`),
  firstLine((line) => `\r\n\r\n${line}`),
  firstLine((line) => line.replace(/ \S+/, ' *')),
  firstLine((line) => line.replace(/ \S+/, ' http://other.test$&'.replace(' http', ' http'))),
  firstLine((line) => line.replace(/ (\S+)/, ' http://other.test$1')),
  firstLine((line) => line.replace(/ (\S+)/, ' http://user:password@other.test$1')),
  firstLine((line) => line.replace(/ (\S+)/, ' //other.test$1')),
  firstLine((line) => line.replace(/ (\S+)/, ' /..$1/../%2e%2e/')),
  firstLine((line) => line.replace(/ (\S+)/, ' /.$1#fragment')),
  firstLine((line) => line.replace(/ (\S+)/, ' $1\u00ff\u0080')),
  firstLine((line) => line.replace(/ (\S+)/, ' $1%')),
  firstLine((line) => line.replace(/ (\S+)/, ' $1%00%ff%c0%af')),
  firstLine((line) =>
    line.replace(/ (\S+)/, (_all, path: string) => ` ${path}${'/a'.repeat(5000)}`),
  ),
  firstLine((line) => line.replace(/ (\S+)/, (_all, path: string) => ` ${path.toUpperCase()}/`)),
  firstLine((line) => line.replace(/ \//, ' ')),
  firstLine((line) => line.replace(/^\S+/, 'CONNECT')),
  firstLine((line) => line.replace(/^\S+/, 'TRACE')),
  firstLine((line) => line.replace(/^\S+/, 'HEAD')),
  firstLine((line) => line.replace(/^\S+/, 'get')),
  firstLine((line) => line.replace(/^\S+/, 'M-SEARCH')),
  firstLine((line) => line.replace(/^\S+/, 'PRI')),
  firstLine((line) => line.replace(/^\S+/, 'A'.repeat(9000))),
  text((all) => all.replaceAll('\r\n', '\n')),
  text((all) => all.replaceAll('\r\n', '\r')),
  text((all) => all.repeat(3)),
  text((all) => `${all}garbage\r\n\r\n`),
  text(() => ''),
  text(() => '\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003'), // a TLS hello
  text(() => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  text(() => 'GET'),
];

/** The bytes after one or two such changes, a cut, or some other bytes. */
export function rawNear(request: fc.Arbitrary<FuzzRequest>): fc.Arbitrary<Buffer> {
  const byte = fc.oneof(fc.nat(255), fc.constantFrom(0, 9, 10, 13, 32, 58));
  const edit = fc
    .tuple(fc.nat(), byte, fc.constantFrom(0, 1, 2))
    .map(([at, value, removed]): Change => (bytes) => {
      const place = at % (bytes.length + 1);
      return Buffer.concat([
        bytes.subarray(0, place),
        Buffer.from([value]),
        bytes.subarray(place + removed),
      ]);
    });
  const cut = fc.nat().map(
    (at): Change =>
      (bytes) =>
        bytes.subarray(0, at % (bytes.length + 1)),
  );
  const changes = fc.oneof(
    { weight: 6, arbitrary: fc.array(fc.constantFrom(...CHANGES), { minLength: 1, maxLength: 2 }) },
    { weight: 3, arbitrary: fc.array(edit, { minLength: 1, maxLength: 4 }) },
    { weight: 1, arbitrary: cut.map((each) => [each]) },
  );
  return fc
    .tuple(request, changes)
    .map(([each, all]) => all.reduce((bytes, change) => change(bytes), bytesOf(each)));
}

export interface RawExchange {
  answers: ReturnType<typeof answersIn>;
  /** The server let go of the connection in time. */
  ended: boolean;
}

/**
 * Sends the bytes and reads until the server hangs up. Says that no more come when nothing was heard for so many
 * milliseconds, or at once: then a server may answer nothing.
 */
export function exchange(url: string, bytes: Buffer, quiet = 0): Promise<RawExchange> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let heard = '';
    const finish = (ended: boolean) => {
      clearTimeout(late);
      clearTimeout(last);
      socket.destroy();
      try {
        resolve({ answers: answersIn(heard), ended });
      } catch (error) {
        reject(new Error(`These are no answers: ${heard}`, { cause: error }));
      }
    };
    const late = setTimeout(() => finish(false), PATIENCE);
    let last: NodeJS.Timeout | undefined;
    const waitForMore = () => {
      clearTimeout(last);
      last = setTimeout(() => socket.end(), quiet);
    };
    socket.setEncoding('latin1').on('data', (each: string) => {
      heard += each;
      waitForMore();
    });
    socket.on('error', () => {}); // the server may hang up while we still write
    socket.once('close', () => finish(true));
    socket.write(bytes);
    if (quiet === 0) socket.end();
    else waitForMore();
  });
}
