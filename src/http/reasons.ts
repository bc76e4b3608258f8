import { withoutTokens } from '#src/http/wrap';

/** Strategies say why in an object, a string or a number. Whoever runs the server reads it in the log. */
export function reasonOf(info: unknown): unknown {
  const why = (info as { message?: unknown } | undefined)?.message ?? info;
  return info instanceof Error ? info : new Error(typeof why === 'string' ? withoutTokens(why) : 'The strategy gave no reason');
}

/** Digest (RFC 7616) cannot begin without a nonce. Basic could, and would open a browser's password window at every 401: it is not passed on. */
export function digestChallenge(whys: readonly unknown[]): Record<string, string> {
  const challenge = whys.find((why) => typeof why === 'string' && /^Digest [\x20-\x7e]+$/.test(why));
  return typeof challenge === 'string' ? { 'WWW-Authenticate': challenge } : {};
}
