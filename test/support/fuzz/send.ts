import { Agent, request as httpRequest } from 'node:http';
import type { Answer } from '#test/support/client';
import type { FuzzRequest } from '#test/support/fuzz/requests';

/** An answer that does not come in this time is a hang, in milliseconds. */
const PATIENCE = 40_000;

/** Sends requests to this server with Node's own client, which leaves targets and headers as they are. */
export function senderTo(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const { hostname, port } = new URL(url);
  const send = ({ method, target, headers, body }: FuzzRequest): Promise<Answer> =>
    new Promise((resolve, reject) => {
      // By itself Node's client sends the body of a DELETE without its length.
      const framing = body && { 'content-length': body.length };
      const sent = httpRequest(
        {
          agent,
          hostname,
          port,
          method,
          path: target,
          headers: { ...headers, ...framing },
          timeout: PATIENCE,
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on('data', (chunk: Buffer) => chunks.push(chunk));
          answer.once('error', reject);
          answer.once('end', () => {
            const text = Buffer.concat(chunks).toString();
            resolve({
              status: answer.statusCode!,
              headers: new Headers(
                Object.entries(answer.headersDistinct).flatMap(([name, values = []]) =>
                  values.map((value) => [name, value] as [string, string]),
                ),
              ),
              text,
              body: parsed(text),
            });
          });
        },
      );
      sent.once('timeout', () => sent.destroy(new Error('no answer came')));
      sent.once('error', reject);
      sent.end(body);
    });
  return { send, close: () => agent.destroy() };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
