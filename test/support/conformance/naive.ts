import type { Means, Tab } from '#test/support/conformance/tabs';

interface Held {
  accessToken: string;
  refreshToken: string;
}
interface Sent {
  status: number;
  body: Partial<Held> & { code?: string; action?: string; sessionStatus?: string };
}

/** What such clients have in common. */
function parts({ url, fetch, texts }: Means) {
  const send = async (
    method: string,
    path: string,
    body?: object,
    token?: string,
  ): Promise<Sent> => {
    const answer = await fetch(url + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return { status: answer.status, body: text ? (JSON.parse(text) as Sent['body']) : {} };
  };
  const held = () => JSON.parse(texts.get('user') ?? 'null') as Held | null;
  return {
    held,
    send,
    keep: (tokens: object) => void texts.set('user', JSON.stringify(tokens)),
    erase: () => void texts.delete('user'),
    /** Asks for new tokens. Whatever happens is an answer. */
    renew: () =>
      send('POST', '/auth/refresh', { refreshToken: held()?.refreshToken }).catch((): Sent => ({
        status: 0,
        body: {},
      })),
  };
}
type Parts = ReturnType<typeof parts>;
/** Refreshes. False: there is nothing to repeat the request with. */
type Refresher = (own: Parts, means: Means) => () => Promise<boolean>;

/** The interceptor of a tutorial: each 401 refreshes, and nobody waits for anybody. */
export function interceptor(means: Means): Tab {
  const { erase, held, keep, renew, send } = parts(means);
  const request = async (method: string, path: string, body?: object): Promise<number> => {
    const first = await send(method, path, body, held()?.accessToken);
    if (first.body.refreshToken) keep(first.body);
    if (first.status !== 401 || !held()) return first.status;
    const renewed = await renew();
    if (renewed.status !== 200) return first.status;
    keep(renewed.body);
    return (await send(method, path, body, held()?.accessToken)).status;
  };
  return {
    request: (...asked) => request(...asked).catch(() => 0),
    signIn(identifier, password) {
      erase();
      return request('POST', '/auth/login', { identifier, password }).catch(() => 0);
    },
    async signOut() {
      const refreshToken = held()?.refreshToken;
      erase();
      await send('POST', '/auth/logout', { refreshToken }).catch(() => {});
    },
  };
}

/** A client that keeps all rules but those that its refresher breaks. */
const careful =
  (refresher: Refresher) =>
  (means: Means): Tab => {
    const own = parts(means);
    const { held, send, keep, erase } = own;
    const { texts } = means;
    const refresh = refresher(own, means);
    let running: Promise<boolean> | undefined;
    const once = () =>
      (running ??= refresh().finally(() => {
        running = undefined;
      }));
    const tell = async () => {
      const refreshToken = texts.get('ended');
      if (!refreshToken) return;
      const { status } = await send('POST', '/auth/logout', { refreshToken });
      if (status === 204) texts.delete('ended');
    };
    const request = async (method: string, path: string, body?: object): Promise<number> => {
      const used = held()?.accessToken;
      const first = await send(method, path, body, used);
      if (first.body.refreshToken) keep(first.body);
      if (first.status !== 401 || first.body.action === 'fix_request' || !used) return first.status;
      if (held()?.accessToken === used && !(await once())) return first.status;
      return (await send(method, path, body, held()?.accessToken)).status;
    };
    void tell().catch(() => {});
    return {
      request: (...asked) => request(...asked).catch(() => 0),
      signIn: (identifier, password) =>
        send('POST', '/auth/login', { identifier, password }).then(
          ({ status, body }) => {
            if (body.refreshToken) keep(body);
            return status;
          },
          () => 0,
        ),
      async signOut() {
        texts.set('ended', held()!.refreshToken);
        erase();
        await tell().catch(() => {});
      },
    };
  };

/** It signs the user out when a refresh fails, whatever the reason. */
export const eraser = careful(({ renew, keep, erase }) => async () => {
  const { status, body } = await renew();
  if (status === 200) keep(body);
  else erase();
  return status === 200;
});

/** It refreshes again and again, each time after a while that it makes up. */
export const impatient = careful(({ renew, keep, erase }, { sleep }) => async () => {
  for (let tries = 0; tries < 12; tries++) {
    const { status, body } = await renew();
    if (status === 200) keep(body);
    if (body.sessionStatus === 'ended') erase();
    if (status === 200 || body.code === 'invalid_grant') return status === 200;
    await sleep(Math.random());
  }
  return false;
});

const expiryOf = ({ accessToken }: Held) =>
  JSON.parse(Buffer.from(accessToken.split('.')[1]!, 'base64url').toString()).exp * 1000;

/** It trusts its clock, holds tokens in memory, stores them when they have worked, and repeats whatever failed. */
export function careless(means: Means): Tab {
  const { erase, held, keep, send } = parts(means);
  let memory: Held | null = null;
  async function refresh(): Promise<void> {
    const { refreshToken } = memory!;
    erase(); // it is good once
    const { status, body } = await send('POST', '/auth/refresh', { refreshToken });
    if (status === 200) memory = body as Held;
  }
  async function request(method: string, path: string, body?: object, tries = 3): Promise<number> {
    memory ??= held();
    if (memory && expiryOf(memory) < Date.now()) await refresh();
    const { status } = await send(method, path, body, memory?.accessToken);
    if (status < 400 && memory) keep(memory);
    if (status < 400 || !memory || tries === 0) return status;
    await refresh();
    return request(method, path, body, tries - 1);
  }
  async function signIn(identifier: string, password: string): Promise<number> {
    const { status, body } = await send('POST', '/auth/login', { identifier, password });
    if (status !== 200) return status;
    memory = body as Held;
    keep(memory);
    return status;
  }
  return {
    request: (...asked) => request(...asked).catch(() => 0),
    signIn: (...given) => signIn(...given).catch(() => signIn(...given).catch(() => 0)),
    async signOut() {
      memory = null;
      erase();
    },
  };
}
