import type { startApp } from '#test/support/app';
import type { clientOf } from '#test/support/client';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string };
}

export const IN = 'in, in';
export const OUT = 'session_ended, revoked';
/**
 * What the access token and the refresh token of a session are worth: IN, OUT, or why not. The refresh token is spent by it,
 * and is still good for its 20 seconds.
 */
export async function worth(
  ask: ReturnType<typeof clientOf>,
  { accessToken, refreshToken }: Tokens,
): Promise<string> {
  const guarded = await ask('GET', '/me', { token: accessToken });
  const renewed = await ask('POST', '/auth/refresh', { body: { refreshToken } });
  return `${guarded.body.code ?? 'in'}, ${renewed.body.reason ?? 'in'}`;
}

/** What the tokens of several sessions are worth, one after the other. */
export async function worths(
  ask: ReturnType<typeof clientOf>,
  held: readonly Tokens[],
): Promise<string[]> {
  const found: string[] = [];
  for (const tokens of held) found.push(await worth(ask, tokens));
  return found;
}

type App = Pick<Awaited<ReturnType<typeof startApp>>, 'register' | 'logIn'>;
/** Somebody who is signed in three times, the oldest session first. */
export async function threeTimes({ register, logIn }: App, fields = {}) {
  const ada = await register(fields);
  const held = [ada.tokens, (await logIn(ada.username)).body, (await logIn(ada.username)).body] as [
    Tokens,
    Tokens,
    Tokens,
  ];
  return { ada, held };
}
