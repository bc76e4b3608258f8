import { expect } from 'vitest';
import { password, startApp } from '#test/support/app';

/** A server with its limits on, behind a proxy. A request names the address that it comes from. */
export async function startLimited(env: Record<string, string> = {}) {
  const app = await startApp({ LIMITS: 'on', TRUST_PROXY: '1', ...env });
  const { ask } = app;
  let made = 0;
  /** An address that sent no request yet. */
  const unused = () => `198.51.${100 + Math.floor(++made / 250)}.${1 + (made % 250)}`;
  const unusedName = () => `nobody${++made}`;
  const from = (ip: string) => ({ headers: { 'x-forwarded-for': ip } });
  const signUp = (ip: string, fields: object = { username: unusedName() }) =>
    ask('POST', '/auth/register', { body: { password, ...fields }, ...from(ip) });
  return {
    ...app,
    unused,
    unusedName,
    from,
    signUp,
    logIn: (ip: string, identifier = unusedName(), secret = 'not the password') =>
      ask('POST', '/auth/login', { body: { identifier, password: secret }, ...from(ip) }),
    /** A user who registered from an address that nobody else has. */
    member: async (fields: object = {}, ip = unused()) => {
      const username = unusedName();
      const { status, body, text } = await signUp(ip, { username, ...fields });
      expect(status, text).toBe(201);
      return {
        ip,
        username: body.user.username as string,
        id: body.user.id as string,
        token: body.accessToken as string,
        tokens: body,
      };
    },
  };
}

/** Runs `work` so many times, one after the other. */
export async function times<T>(n: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const all: T[] = [];
  for (let i = 0; i < n; i++) all.push(await work(i));
  return all;
}
/** The statuses of these answers, each once. */
export const statuses = (answers: readonly { status: number }[]) => [
  ...new Set(answers.map(({ status }) => status)),
];
