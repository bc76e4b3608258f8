import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { text as read } from 'node:stream/consumers';

interface LateRequest {
  token: string;
  method: string;
  path: string;
  body: unknown;
  headers?: Record<string, string>;
}

/** Sends a request, but holds back its body until `meanwhile` is done. `meanwhile` waits until the guards have passed. */
export async function askLate(
  url: string,
  { token, method, path, body, headers: more = {} }: LateRequest,
  meanwhile: () => Promise<unknown>,
) {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'content-length': text.length,
    ...more,
  };
  const asked = request(url + path, { method, headers });
  asked.flushHeaders();
  await meanwhile();
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.end(text);
  const [answer] = await answered;
  const answerText = await read(answer);
  const parsed = (answerText ? JSON.parse(answerText) : {}) as { code?: string };
  return { status: answer.statusCode, code: parsed.code };
}
