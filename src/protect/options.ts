import type { ServiceCredentials } from '#src/protect/auth-server';

/** For tokens that are bound to a key (DPoP, RFC 9449). */
export interface DpopOptions {
  /**
   * The address of this service as its clients know it: `https://api.example.com`, with the path that a proxy takes off.
   * Proofs are for this address, whatever a request says of its host.
   */
  url: string;
  /** Ask for a nonce in every proof. The clock of the client does not matter then. Default: false. */
  nonces?: boolean;
}

export interface ProtectOptions {
  /** Who signs the tokens: `iss`, letter by letter. The PUBLIC_URL of the auth server, unless it sets JWT_ISSUER. */
  issuer: string;
  /** Where the auth server is asked. Default: `issuer`. */
  url?: string;
  /** Id and secret of a service with the scopes `introspect` and `changes`. */
  service: ServiceCredentials;
  /** For whom the tokens are: `aud`, the JWT_AUDIENCE of the auth server. Default: `sallyport`. */
  audience?: string;
  /**
   * How long a session that was known may still be let in while the auth server is away, since it last said that nothing had
   * changed. Default: 0, closed. Then `stale` is true in what the request gets.
   */
  graceSeconds?: number;
  /** How long the auth server may wait before it says that nothing changed, 1 to 25. Default: 2. */
  pollSeconds?: number;
  /** Take tokens that are bound to a key. Default: they are refused. */
  dpop?: DpopOptions;
  /** Hears when the auth server is away, and when it is back. Default: a warning of the process. */
  warn?: (message: string, cause?: unknown) => void;
}

export interface Checked extends Required<Omit<ProtectOptions, 'dpop'>> {
  dpop: DpopOptions | undefined;
}

/** An app without TypeScript may give anything. @throws {TypeError} with the mistake */
export function checked(options: ProtectOptions): Checked {
  const {
    issuer,
    url = issuer,
    service,
    audience = 'sallyport',
    graceSeconds = 0,
    pollSeconds = 2,
    dpop,
    warn = (message) => process.emitWarning(message, { code: 'SALLYPORT_PROTECT' }),
    ...others
  } = options;
  const surplus = Object.keys(others);
  if (surplus.length > 0) throw wrong(`${surplus[0]} is not an option`);
  if (!isText(issuer))
    throw wrong('issuer must be the PUBLIC_URL, or the JWT_ISSUER, of the server');
  if (!isText(url) || !isAddress(url))
    throw wrong('url must be the address of the server, https://… or http://…');
  if (!isText(audience)) throw wrong('audience must be the JWT_AUDIENCE of the server');
  if (!isText(service?.id) || !isText(service.secret))
    throw wrong('service must be { id, secret }, from `sallyport service create`');
  if (!isWithin(graceSeconds, 0, 86_400)) throw wrong('graceSeconds must be 0 to 86400');
  if (!isWithin(pollSeconds, 1, 25) || !Number.isInteger(pollSeconds))
    throw wrong('pollSeconds must be a whole number, 1 to 25');
  if (dpop !== undefined) checkDpop(dpop);
  if (typeof warn !== 'function') throw wrong('warn must be a function');
  return {
    issuer,
    url: url.replace(/\/+$/, ''),
    service,
    audience,
    graceSeconds,
    pollSeconds,
    dpop,
    warn,
  };
}

function checkDpop({ url, nonces = false, ...others }: DpopOptions): void {
  const surplus = Object.keys(others);
  if (surplus.length > 0) throw wrong(`dpop.${surplus[0]} is not an option`);
  if (!isText(url) || !isAddress(url))
    throw wrong('dpop.url must be the public address of this service, https://… or http://…');
  if (typeof nonces !== 'boolean') throw wrong('dpop.nonces must be true or false');
}

const wrong = (message: string) => new TypeError(`protect: ${message}`);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isWithin = (value: unknown, from: number, to: number): boolean =>
  typeof value === 'number' && value >= from && value <= to;

function isAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, search, hash, username } = new URL(text);
  return /^https?:$/.test(protocol) && !search && !hash && !username;
}
