import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import type { Context } from '#src/context';
import { hostOf, type AddressRules } from '#src/webhooks/addresses';

/** For connecting, asking and the whole answer. */
const TIMEOUT_MS = 10_000;
/** So much of an answer is read, and thrown away. */
const MAX_ANSWER_BYTES = 16 * 1024;

export interface Sent {
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string;
}

/** What came of an attempt: a status, or why there is none, in a word. */
export interface Outcome {
  status?: number;
  error?: string;
  /** The receiver asks for a pause of so many seconds (RFC 9110 §10.2.3). */
  retryAfter?: number;
}

/** What `lookup` fails with when a host has no address that may be called. */
const REFUSED = 'address_refused';

/**
 * Makes one POST. It connects to no address but those that the rules allow at this moment, whatever the name resolved to
 * before. Redirects are not followed. Of the answer only the status counts: as soon as it is there, the rest may be long or never end.
 */
export function send(
  { webhooks }: Pick<Context, 'webhooks'>,
  { url, headers, body }: Sent,
  stopped: AbortSignal,
): Promise<Outcome> {
  const rules = webhooks.rules();
  const host = hostOf(url);
  // Node resolves no address: it would connect without `lookup`.
  if (isIP(host) && !rules.mayCall(url, host)) return Promise.resolve({ error: REFUSED });
  const request = url.protocol === 'https:' ? httpsRequest : httpRequest;
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  return new Promise((resolve) => {
    let outcome: Outcome | undefined;
    const asked = request(url, {
      method: 'POST',
      agent: false, // a connection of its own, which `lookup` has checked
      signal: AbortSignal.any([timeout, stopped]),
      lookup: checkedLookup(webhooks, rules, url),
      headers: { ...headers, 'Content-Length': Buffer.byteLength(body) },
    });
    asked.on('response', (answer) => {
      outcome = { status: answer.statusCode!, ...pauseIn(answer.headers['retry-after']) };
      let bytes = 0;
      answer.on('data', ({ length }: Buffer) => {
        bytes += length;
        if (bytes > MAX_ANSWER_BYTES) answer.destroy();
      });
      answer.on('error', () => {}); // it was cut off
    });
    let why = 'no_answer'; // such as a change of the protocol
    asked.on('error', (error) => {
      why = stopped.aborted ? 'stopped' : timeout.aborted ? 'timeout' : reasonOf(error);
    });
    asked.on('close', () => resolve(outcome ?? { error: why })); // the only event that always comes
    asked.end(body);
  });
}

function checkedLookup(
  { resolve }: Context['webhooks'],
  rules: AddressRules,
  url: URL,
): LookupFunction {
  return (host, options, callback) => {
    const answer = async () => {
      const open = (await resolve(host)).filter(({ address }) => rules.mayCall(url, address));
      const [first] = open;
      if (!first) throw Object.assign(new Error(REFUSED), { code: REFUSED });
      return { open, first };
    };
    answer().then(
      ({ open, first }) =>
        options.all ? callback(null, [...open]) : callback(null, first.address, first.family),
      (error: NodeJS.ErrnoException) => callback(error, ''),
    );
  };
}

const pauseIn = (header: string | undefined) =>
  header !== undefined && /^\d{1,6}$/.test(header) ? { retryAfter: Number(header) } : {};

/** The code of an error: its message may hold addresses, and what a receiver said. */
function reasonOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^\w{1,60}$/.test(code) ? code : 'failed';
}
