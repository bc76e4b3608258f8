import { connect, type Socket } from 'node:net';

/** A question as it goes over the wire. */
export interface Ask {
  method: 'GET' | 'POST';
  path: string;
  token?: string | undefined;
  body?: object | undefined;
}
export interface Answer {
  status: number;
  head: string;
  body: string;
}

/** The bytes of a question, on a connection that stays. */
export function bytesOf({ method, path, token, body }: Ask): Buffer {
  const text = body === undefined ? '' : JSON.stringify(body);
  const lines = [
    `${method} ${path} HTTP/1.1`,
    'host: 127.0.0.1',
    ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ...(text
      ? ['content-type: application/json', `content-length: ${Buffer.byteLength(text)}`]
      : []),
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${text}`);
}

/** The first answer in these bytes, and what follows it; undefined while it is not complete. */
export function readAnswer(bytes: Buffer): { answer: Answer; rest: Buffer } | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const found = bodyOf(head, bytes, end + 4);
  if (!found) return undefined;
  const status = Number(head.slice(9, 12));
  return { answer: { status, head, body: found.body }, rest: bytes.subarray(found.end) };
}

function bodyOf(head: string, bytes: Buffer, start: number) {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined && /\r\ntransfer-encoding: *chunked/i.test(head))
    return chunksOf(bytes, start);
  const end = start + Number(length ?? 0);
  return bytes.length < end ? undefined : { body: bytes.toString('utf8', start, end), end };
}

function chunksOf(bytes: Buffer, start: number) {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const line = bytes.indexOf('\r\n', at);
    if (line < 0) return undefined;
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16);
    const end = line + 2 + size + 2;
    if (bytes.length < end) return undefined;
    if (size === 0) return { body: Buffer.concat(chunks).toString(), end };
    chunks.push(bytes.subarray(line + 2, end - 2));
    at = end;
  }
}

export interface Load {
  url: string;
  connections: number;
  /** How many questions are asked, on all connections together. */
  requests: number;
  /** The next question of a connection. `i` counts those of all connections. */
  ask: (connection: number, i: number) => Buffer;
  /** Called with each answer, before the connection asks again. */
  answered?: ((answer: Answer, connection: number, i: number) => void) | undefined;
}

/**
 * Asks so many questions, one at a time on each connection. An answer that is no 2xx ends it: a wrong answer is cheap.
 * @returns how long it took, in seconds
 */
export async function load({ url, connections, requests, ask, answered }: Load): Promise<number> {
  const { hostname, port } = new URL(url);
  let asked = 0;
  const sockets = await Promise.all(
    Array.from({ length: connections }, () => open(hostname, Number(port))),
  );
  const begin = performance.now();
  await Promise.all(
    sockets.map((socket, connection) =>
      converse(
        socket,
        () => {
          const i = asked++;
          return i < requests ? { i, bytes: ask(connection, i) } : undefined;
        },
        (answer, i) => answered?.(answer, connection, i),
      ),
    ),
  );
  return (performance.now() - begin) / 1000;
}

const open = (host: string, port: number) =>
  new Promise<Socket>((resolve, reject) => {
    const socket = connect({ host, port, noDelay: true }, () => resolve(socket)).once(
      'error',
      reject,
    );
  });

/** Asks until there is nothing more to ask, then closes the connection. */
function converse(
  socket: Socket,
  next: () => { i: number; bytes: Buffer } | undefined,
  answered: (answer: Answer, i: number) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let heard: Buffer = Buffer.alloc(0);
    let current = next();
    const fail = (why: string) => {
      socket.destroy();
      reject(new Error(why));
    };
    const go = () => {
      if (current) socket.write(current.bytes);
      else socket.end(resolve);
    };
    socket.on('data', (bytes) => {
      heard = heard.length > 0 ? Buffer.concat([heard, bytes]) : bytes;
      const read = readAnswer(heard);
      if (!read || !current) return;
      const { answer, rest } = read;
      if (answer.status < 200 || answer.status > 299)
        return fail(`answered ${answer.status}: ${answer.body.slice(0, 300)}`);
      heard = rest;
      answered(answer, current.i);
      current = next();
      go();
    });
    socket.once('error', reject);
    socket.once('close', () => current && fail('closed the connection'));
    go();
  });
}

/** One question, on a connection of its own. */
export async function askOnce(url: string, ask: Ask): Promise<Answer> {
  const answers: Answer[] = [];
  await load({
    url,
    connections: 1,
    requests: 1,
    ask: () => bytesOf(ask),
    answered: (answer) => answers.push(answer),
  });
  return answers[0]!;
}
