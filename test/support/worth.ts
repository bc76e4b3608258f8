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
export async function worth(ask: ReturnType<typeof clientOf>, { accessToken, refreshToken }: Tokens): Promise<string> {
  const guarded = await ask('GET', '/me', { token: accessToken });
  const renewed = await ask('POST', '/auth/refresh', { body: { refreshToken } });
  return `${guarded.body.code ?? 'in'}, ${renewed.body.reason ?? 'in'}`;
}
