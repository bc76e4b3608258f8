import { connect } from 'node:net';

export interface RawAnswer {
  status: number;
  headers: Headers;
  body: string;
}
export interface Raw {
  /** All that came back, in Latin-1. */
  text: string;
  answers: RawAnswer[];
  /** True if the server hung up. */
  closed: boolean;
}

/** In milliseconds: how long to wait for an answer, and how long for more after the last expected answer. */
const [PATIENCE, AFTERTHOUGHT] = [30_000, 60];

/**
 * Sends bytes that no HTTP client would send. Reads until the server hangs up, or has given as many answers as `expected`
 * and did not announce `Connection: close` with the last.
 */
export function rawRequest(
  url: string,
  bytes: string | Buffer | readonly (string | Buffer)[],
  expected = 1,
): Promise<Raw> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname);
    let text = '';
    let quiet: NodeJS.Timeout;
    const finish = (closed: boolean) => {
      clearTimeout(quiet);
      socket.destroy();
      resolve({ text, answers: answersIn(text), closed });
    };
    const listen = () => {
      clearTimeout(quiet);
      const answers = answersIn(text).filter(({ status }) => status >= 200);
      const open =
        answers.length >= expected && answers.at(-1)?.headers.get('connection') !== 'close';
      quiet = setTimeout(() => finish(false), open ? AFTERTHOUGHT : PATIENCE);
    };
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      text += chunk;
      listen();
    });
    socket.on('error', () => {}); // the server may hang up while we still write
    socket.once('close', () => finish(true));
    listen();
    for (const part of [bytes].flat())
      socket.write(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  });
}

/** Splits a stream of answers by their Content-Length. Bytes that belong to none are an answer of status 0. */
export function answersIn(text: string): RawAnswer[] {
  const answers: RawAnswer[] = [];
  for (let rest = text; rest;) {
    const head = /^HTTP\/1\.1 (\d{3})[^\r\n]*\r\n((?:[^\r\n]+\r\n)*)\r\n/.exec(rest);
    if (!head) return [...answers, { status: 0, headers: new Headers(), body: rest }];
    const lines = head[2]!.split('\r\n').filter(Boolean); // 100 has none
    const headers = new Headers(
      lines.map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
    );
    const end = head[0].length + Number(headers.get('content-length') ?? 0);
    answers.push({ status: Number(head[1]), headers, body: rest.slice(head[0].length, end) });
    // Answers that Node makes itself are chunked, and empty.
    rest = rest.slice(end).replace(/^0\r\n\r\n/, '');
  }
  return answers;
}

/** A JSON request as a well-behaved client writes it. */
export const jsonRequest = (
  method: string,
  path: string,
  body: string | Buffer,
  headers: Record<string, string> = {},
) =>
  Buffer.concat([
    Buffer.from(
      [
        `${method} ${path} HTTP/1.1`,
        'Host: sallyport.test',
        'Content-Type: application/json',
        `Content-Length: ${Buffer.byteLength(body)}`,
        ...Object.entries(headers).map((header) => header.join(': ')),
        '',
        '',
      ].join('\r\n'),
      'latin1',
    ),
    Buffer.from(body),
  ]);
