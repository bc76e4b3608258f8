import type { IncomingMessage } from 'node:http';
import { isIPv6 } from 'node:net';
import { Problem } from '#src/platform/http/problem';

/** Node keeps the first of two such lines. A proxy in front may have kept the other. */
const SINGLE = ['host', 'content-type'];
/** An authority without user information (RFC 3986 §3.2). Runs in linear time. */
const HOST = /^(?:\[([\da-f:.]+)\]|[\w.~%-]+)(?::(\d{0,5}))?$/i;
/** The absolute form (RFC 9112 §3.2.2): authority, then path and query. */
const ABSOLUTE = /^https?:\/\/([^/?#]*)(.*)$/is;

/** What access logs write of a request that could not be read. */
export const UNREAD = { method: '-', url: '-' } as const;

const refusal = (code: string, message: string) =>
  new Problem('invalid_request', { members: { errors: [{ pointer: '', code, message }] } });

/**
 * Makes a path with a query, or `*`, of the target of a request (RFC 9112 §3.2). Express cannot read every other target,
 * and would give no answer. Answers the refusal if the target is none of this server.
 */
export function readTarget(req: IncomingMessage): Problem | undefined {
  const path = pathOf(req);
  if (path !== undefined) return void (req.url = path);
  Object.assign(req, UNREAD);
  return refusal('target', 'This is no path of this server');
}

/** The refusal of a request whose headers may mean one thing here and another one to a proxy in front. */
export const ambiguousHeaders = (req: IncomingMessage): Problem | undefined =>
  req.httpVersionMajor === 1
    ? (repeatedHeader(req.rawHeaders) ?? wrongHost(req) ?? wrongFraming(req))
    : undefined;

function pathOf({ method, url = '' }: IncomingMessage): string | undefined {
  if (url.startsWith('/')) return url;
  if (url === '*') return method === 'OPTIONS' ? url : undefined;
  const [, authority = '', rest = ''] = ABSOLUTE.exec(url) ?? [];
  if (!isHost(authority)) return undefined;
  return rest.startsWith('/') ? rest : `/${rest}`;
}

function repeatedHeader(rawHeaders: readonly string[]): Problem | undefined {
  const seen: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const { length } = rawHeaders[i]!;
    if (length !== 4 && length !== 12) continue;
    const name = rawHeaders[i]!.toLowerCase();
    if (!SINGLE.includes(name)) continue;
    if (seen.includes(name)) return refusal('repeated_header', `Send one ${name} header`);
    seen.push(name);
  }
  return undefined;
}

function wrongHost({ headers: { host }, httpVersion }: IncomingMessage): Problem | undefined {
  if (host === undefined && httpVersion === '1.0') return undefined;
  return isHost(host ?? '') ? undefined : refusal('host', 'Send a Host header with a host in it');
}

/** HTTP/1.0 knows no chunks: a proxy may see another end of the body (RFC 9112 §6.1). */
const wrongFraming = ({ headers, httpVersion }: IncomingMessage): Problem | undefined =>
  httpVersion === '1.0' && headers['transfer-encoding'] !== undefined
    ? refusal('transfer_encoding', 'HTTP/1.0 has no Transfer-Encoding')
    : undefined;

function isHost(host: string): boolean {
  const [whole, address, port = '0'] = HOST.exec(host) ?? [];
  if (whole === undefined || Number(port) > 65_535) return false;
  return address === undefined || isIPv6(address);
}
