/** The auth server did not answer, or not in a way that says anything about a token. */
export class Unavailable extends Error {
  /** Of its answer, if it gave one. */
  readonly status: number | undefined;

  constructor(message: string, { status, cause }: { status?: number; cause?: unknown } = {}) {
    super(message, { cause });
    this.name = 'Unavailable';
    this.status = status;
  }
}

/** In milliseconds. */
const TIMEOUT_MS = 3000;
/** Longest answer that is read, in bytes. */
const MAX_BYTES = 1024 * 1024;

/** The service that asks. */
export interface ServiceCredentials {
  readonly id: string;
  readonly secret: string;
}

/** What the auth server is asked. Every answer is unknown until somebody has checked it. */
export class AuthServer {
  readonly #url: string;
  readonly #authorization: string;

  constructor(url: string, { id, secret }: ServiceCredentials) {
    this.#url = url;
    // RFC 6749 §2.3.1
    const pair = `${encodeURIComponent(id)}:${encodeURIComponent(secret)}`;
    this.#authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
  }

  keys(): Promise<unknown> {
    return this.#ask('/.well-known/jwks.json', {});
  }

  introspect(token: string): Promise<unknown> {
    const headers = { authorization: this.#authorization };
    return this.#ask('/oauth/introspect', {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token }),
    });
  }

  /** Waits so many seconds for changes behind the cursor. */
  changes(after: string | undefined, wait: number, closing: AbortSignal): Promise<unknown> {
    const query = new URLSearchParams({ ...(after && { after }), wait: String(wait) });
    const headers = { authorization: this.#authorization };
    return this.#ask(`/oauth/changes?${query.toString()}`, { headers }, wait * 1000, closing);
  }

  /** @throws {Unavailable} */
  async #ask(path: string, init: RequestInit, waitMs = 0, closing?: AbortSignal): Promise<unknown> {
    const aborting = new AbortController();
    const abort = () => aborting.abort();
    const timer = setTimeout(abort, TIMEOUT_MS + waitMs).unref();
    closing?.addEventListener('abort', abort);
    let status: number | undefined;
    try {
      const response = await fetch(this.#url + path, {
        ...init,
        redirect: 'error',
        signal: aborting.signal,
      });
      ({ status } = response);
      const text = await textOf(response);
      if (status === 200) return JSON.parse(text) as unknown;
    } catch (cause) {
      throw new Unavailable(`${path.split('?')[0]} could not be read`, { cause });
    } finally {
      clearTimeout(timer);
      closing?.removeEventListener('abort', abort);
    }
    throw new Unavailable(`${path.split('?')[0]} answered ${status}`, { status });
  }
}

async function textOf({ body }: Response): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of body ?? []) {
    size += piece.length;
    if (size > MAX_BYTES) throw new Error('The answer is too long');
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString();
}
