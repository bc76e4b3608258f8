import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DriverError, type Driver, type Order } from '#src/conformance/driver';
import { PUBLIC_URL, type Nodes } from '#src/conformance/nodes';
import { parsed, startProxy, type Proxy } from '#src/conformance/proxy';

export const ME = 'GET /me';
export const REFRESH = 'POST /auth/refresh';
export const LOGIN = 'POST /auth/login';
export const LOGOUT = 'POST /auth/logout';
export const [MINUTE, HOUR, DAY] = [60, 3600, 86_400];

/** What a scenario finds wrong, in a sentence. */
export class Failed extends Error {}
/** The client has nothing of what the scenario is about. */
export class Unsupported extends Error {}

export function must(isSo: boolean, sentence: string): void {
  if (!isSo) throw new Failed(sentence);
}

/** A client over a store. Clients over one store are the tabs of one browser. */
export interface Tab {
  readonly name: string;
  readonly store: string;
  signIn(): Promise<number>;
  /** GET /me, so many times at once. */
  get(times?: number): Promise<readonly number[]>;
  request(method: string, path: string, body?: object): Promise<number>;
  signOut(): Promise<void>;
  /** The next write to its storage fails. */
  failStorage(): Promise<void>;
  kill(): Promise<void>;
}

export type Environment = Awaited<ReturnType<typeof openEnvironment>>;

/** One scenario: a user, a proxy of its own, and clients of the driver. */
export async function openEnvironment(nodes: Nodes, driver: Driver, pace: number) {
  const proxy: Proxy = await startProxy(nodes.urls);
  const user = { identifier: `u${randomBytes(6).toString('hex')}`, password: newPassword() };
  const label = user.identifier;
  const tabs: Tab[] = [];
  let stores = 0;
  let ownPace = 1;

  /** Asks the server past the client. */
  async function elsewhere(method: string, path: string, sent: { token?: string; body?: object }) {
    const { token, body } = sent;
    const answer = await fetch(nodes.urls[0]! + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: parsed(await answer.text()) };
  }
  const { identifier: username, password } = user;
  const signUp = await elsewhere('POST', '/auth/register', { body: { username, password } });
  if (signUp.status !== 201) throw new Error(`A sign-up was answered ${signUp.status}`);

  function newStore(): string {
    const store = join(nodes.folder, `${label}-${++stores}`);
    mkdirSync(store);
    return store;
  }
  /**
   * Opens a client: over a new store, over that of another tab, or as a duplicate of another tab. `ofTab`: its storage is one
   * that tabs do not share.
   */
  async function open(of: { like?: Tab; ofTab?: boolean; copyOf?: Tab } = {}): Promise<Tab> {
    const name = `${label}-${tabs.length + 1}`;
    const store = of.like?.store ?? newStore();
    if (of.copyOf) cpSync(of.copyOf.store, store, { recursive: true });
    const tell = async (order: Order) => {
      const report = await driver.tell(name, order);
      if (report.unsupported) throw new Unsupported('The driver says that there is no such thing');
      return report;
    };
    const request = async (times: number, method: string, path: string, body?: object) => {
      const order = { do: 'request', method, path, times, ...(body && { body }) } as const;
      const { statuses } = await tell(order);
      if (Array.isArray(statuses) && statuses.length === times) return statuses as number[];
      throw new DriverError(`The driver must answer { "statuses": [ … ] } with ${times} numbers`);
    };
    const tab: Tab = {
      name,
      store,
      signIn: async () => (await tell({ do: 'sign-in', ...user })).status ?? 0,
      get: (times = 1) => request(times, 'GET', '/me'),
      request: async (...asked) => (await request(1, ...asked))[0]!,
      signOut: async () => void (await tell({ do: 'sign-out' })),
      failStorage: async () => void (await tell({ do: 'fail-storage' })),
      kill: () => driver.kill(name),
    };
    const { ofTab = false, copyOf } = of;
    const opened = await tell({
      do: 'open',
      url: proxy.url,
      publicUrl: PUBLIC_URL,
      store,
      pace,
      ofTab,
      ...(copyOf && { copyOf: copyOf.name }),
    });
    tabs.push(tab);
    ownPace = opened.pace ?? 1;
    return tab;
  }

  return {
    user,
    proxy,
    elsewhere,
    open,
    /** Lets time pass on the server, in seconds. */
    forward: (seconds: number) => nodes.forward(seconds),
    /** Waits as a client does that was told to wait so many seconds. */
    pause: (seconds: number) => sleep(seconds * ownPace * 1000),
    /** How long a client waits for each second that it was told to wait, in milliseconds. */
    get secondMs() {
      return ownPace * 1000;
    },
    async close() {
      for (const tab of tabs) await tab.kill().catch(() => {});
      proxy.close();
    },
  };
}

const newPassword = () => randomBytes(12).toString('base64url');
