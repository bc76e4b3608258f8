import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { judge, type Verdict } from '#src/conformance/run-client';
import { parsed } from '#src/conformance/proxy';
import { serverScenarios } from '#src/conformance/server-scenarios';

interface Account {
  identifier: string;
  password: string;
}
interface Sent {
  body?: object;
  token?: string;
}
export interface Heard {
  status: number;
  headers: Headers;
  body: Record<string, unknown>;
}
export interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string };
}
/** A server, and somebody who signs in there. */
export interface Server {
  ask: (method: string, path: string, sent?: Sent) => Promise<Heard>;
  signIn: (password?: string) => Promise<Heard>;
  refresh: (refreshToken: string) => Promise<Heard>;
  /** Lets so many seconds pass. */
  pass: (seconds: number) => Promise<unknown>;
}

/** Runs the scenarios for servers against the server at `url`, with a new user if there is no `account`. */
export async function runServer(given: {
  url: string;
  account?: Account;
  pass?: Server['pass'];
}): Promise<Verdict[]> {
  const { pass = (seconds) => sleep(seconds * 1000) } = given;
  const url = given.url.replace(/\/+$/, '');
  const ask: Server['ask'] = async (method, path, { body, token } = {}) => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    }).catch((cause: unknown) => {
      throw new Error(`Nobody answers at ${url}`, { cause });
    });
    const { status, headers } = answer;
    return { status, headers, body: parsed(await answer.text()) };
  };
  const account = given.account ?? (await signUp(ask));
  const server: Server = {
    ask,
    pass,
    signIn: (password = account.password) =>
      ask('POST', '/auth/login', { body: { identifier: account.identifier, password } }),
    refresh: (refreshToken) => ask('POST', '/auth/refresh', { body: { refreshToken } }),
  };
  const verdicts: Verdict[] = [];
  for (const { name, title, run } of serverScenarios)
    verdicts.push({ scenario: name, title, rules: [], ...(await judge(() => run(server))) });
  return verdicts;
}

async function signUp(ask: Server['ask']): Promise<Account> {
  const username = `conformance-${randomBytes(6).toString('hex')}`;
  const password = randomBytes(12).toString('base64url');
  const { status } = await ask('POST', '/auth/register', { body: { username, password } });
  if (status === 201) return { identifier: username, password };
  throw new Error(
    `A sign-up at POST /auth/register was answered ${status}: name a user with --user`,
  );
}
