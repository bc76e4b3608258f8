import type { Tokens } from '#src/client/api';
import { apiFetch } from '#src/client/api-fetch';
import { inTurn } from '#src/client/locks';
import { redirects } from '#src/client/redirects';
import { PATIENCE_MS, refresher, type Renewal } from '#src/client/refresh';
import { done, signOuts } from '#src/client/sign-outs';
import { cookieStorage, defaultStorage } from '#src/client/storages';
import { guarded, StorageError, tokenStore } from '#src/client/token-store';
import { failure, send, type Sent, type Transport } from '#src/client/transport';
import type { Client, ClientOptions, Problem, Result, State } from '#src/client/types';

type Answer = Result<unknown>;
interface More {
  params?: Record<string, string>;
  query?: Record<string, unknown>;
  headers?: Record<string, string | undefined>;
}
type Body = object | null | undefined;
type Asked = [redirectUri: string, parameters?: Record<string, string>];

const wait = (seconds: number) => new Promise((done) => setTimeout(done, seconds * 1000));
/** These sign somebody in. What is held may be what the server does not know any more. */
const isEntrance = (path: string) => /^\/auth\/(?!reauthenticate)/.test(path);
const isStale = ({ status, body }: Answer) =>
  status === 401 && ['refresh', 'sign_in'].includes((body as Problem).action);
/** The user may try again with another proof. */
const WRONG = ['invalid_credentials', 'invalid_request', 'passkey_refused'];
const isWrong = (answer: Answer) => !answer.ok && WRONG.includes(answer.body.code);

/** `/me/sessions/{id}` with what stands for its parameters. Nothing in them can name another path. */
function pathOf(path: string, { params = {}, query = {} }: More): string {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const value = encodeURIComponent(params[name] ?? '');
    if (/^\.*$/.test(value)) throw new TypeError(`${name} cannot be “${value}”`);
    return value;
  });
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined);
  if (pairs.length === 0) return filled;
  return `${filled}?${pairs.map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`).join('&')}`;
}

/** A client that keeps the rules of docs/clients.md by itself. All that share a storage and a `key` are one. */
export function createClient(options: ClientOptions): Client {
  const { device, prompt, apis = [], key = 'sallyport', timeout = 10_000, sleep = wait } = options;
  const url = options.url.replace(/\/+$/, '');
  const cookie = options.credentials === 'cookie';
  const wanted = cookie ? 'refreshExpiresIn' : 'refreshToken';
  const shared = options.storage ?? defaultStorage();
  const given = cookie ? cookieStorage(shared, key) : shared;
  const storage = guarded(given);
  const turn = `${key} ${url}`;
  const plain: typeof fetch = options.fetch ?? ((...request) => globalThis.fetch(...request));
  const transport: Transport = {
    url,
    timeout,
    cookie,
    fetch: options.dpop?.(plain, turn, url) ?? plain,
  };
  /** What sends or sets the cookie, in all tabs, one after the other: an answer that comes late would put an old one back. */
  const inOrder = <T>(work: () => Promise<T>): Promise<T> =>
    cookie ? inTurn(turn, PATIENCE_MS, work) : work();
  const store = tokenStore(storage, key);
  const ended = signOuts(storage, `${key}.ended`, transport, `${turn} ended`, inOrder);
  const pending = redirects(
    given.redirects ? guarded(given.redirects) : storage,
    `${key}.redirects`,
  );
  const { note, hasExpired, refresh } = refresher({ transport, store, turn, sleep, wanted });

  /** What to send now. */
  async function current(): Promise<Renewal> {
    const held = await store.read();
    return held && hasExpired(held) ? refresh(held.accessToken) : { tokens: held };
  }

  const exchange = (method: string, path: string, sent: Sent): Promise<Answer> => {
    const deliver = () => deliverNow(method, path, sent);
    return isEntrance(path) || path === '/me/password' ? inOrder(deliver) : deliver();
  };

  async function deliverNow(method: string, path: string, sent: Sent): Promise<Answer> {
    if (cookie && isEntrance(path)) await ended.tellAll(); // of the cookie that the next one replaces
    const answer = await send(transport, method, path, sent);
    const tokens = answer.body as Tokens | undefined;
    if (answer.ok && tokens?.[wanted]) {
      note(await store.write(tokens)); // first stored, then used
      if (cookie) await ended.forget();
    }
    if (answer.ok) ended.flush();
    return answer;
  }

  async function ask(method: string, path: string, sent: Sent, again = false): Promise<Answer> {
    if (isEntrance(path)) return exchange(method, path, sent);
    const first = await current();
    if ('refusal' in first) return first.refusal;
    const held = first.tokens;
    const answer = await exchange(method, path, { ...sent, token: held?.accessToken });
    if (!isStale(answer) || !held || again) return answer;
    const renewal = await refresh(held.accessToken);
    if ('refusal' in renewal) return renewal.refusal;
    const isSame = renewal.tokens?.user.id === held.user.id;
    return isSame ? ask(method, path, sent, true) : answer;
  }

  /** Asks the user for proofs until one is right. Undefined if the user gives up. */
  async function prove(problem: Problem, to: (proof: object) => Promise<Answer>) {
    if (!prompt || (problem.action !== 'second_factor' && problem.action !== 'step_up'))
      return undefined;
    for (let wrong = false; ; wrong = true) {
      const proof = await prompt(problem, wrong);
      if (!proof) return undefined;
      const answer = await to(proof);
      if (!isWrong(answer)) return answer;
    }
  }

  async function complete(method: string, path: string, sent: Sent): Promise<Answer> {
    const first = await ask(method, path, sent);
    if (first.ok) return first;
    const { action, mfaToken } = first.body;
    if (action === 'second_factor' && mfaToken)
      return (
        (await prove(first.body, (proof) =>
          exchange('POST', '/auth/mfa', { body: { mfaToken, ...proof } }),
        )) ?? first
      );
    if (action !== 'step_up') return first;
    const proved = await prove(first.body, (body) => ask('POST', '/auth/reauthenticate', { body }));
    return proved?.ok ? ask(method, path, sent) : (proved ?? first);
  }

  /** A storage that cannot be read is an answer, too. */
  async function settled<T>(work: () => Promise<T>) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof StorageError) return failure('storage_failed', error.message);
      throw error;
    }
  }
  const request = (method: string, path: string, body?: Body, more: More = {}) =>
    settled(() => complete(method, pathOf(path, more), { body, headers: more.headers }));
  const enter = (path: string, body: object) =>
    request('POST', path, { ...(device && { device }), ...body });

  const signOut = ({ everywhere = false } = {}) =>
    settled(async () => {
      const held = await store.read();
      if (!held) return done();
      const entry = await ended.add(held, everywhere); // who is closed now still tells the server
      await store.erase();
      return ended.finish(entry);
    });

  const comeBack = (address?: string, link?: string) =>
    settled(async () => {
      const { location, history } = globalThis as unknown as Window;
      const answer = await pending.take(address ?? location.href);
      if (!answer) return null;
      if (!address) history.replaceState(null, '', location.pathname); // the code is good once, and for nobody else
      if ('ok' in answer) return answer;
      return link
        ? request('POST', `/me/identities/${encodeURIComponent(link)}`, answer)
        : enter('/auth/exchange', answer);
    });

  async function begin(path: string, [redirectUri, given]: Asked, params = {}) {
    const query = { ...given, redirectUri, ...(await pending.newChallenge()) };
    return url + pathOf(path, { params, query });
  }

  const look = () => void (cookie ? current() : store.read()).catch(() => {}); // whoever asks next hears why
  const origin = /^\w+:\/\/[^/]+/.exec(url)?.[0] ?? url;
  look();
  ended.flush();

  return {
    request,
    signIn: (credentials: object, way = 'login') => enter(`/auth/${way}`, credentials),
    signUp: (registration: object) => enter('/auth/register', registration),
    signOut,
    fetch: apiFetch({ fetch: transport.fetch, origins: [origin, ...apis], current, refresh }),
    newChallenge: () => pending.newChallenge(),
    redirectTo: (way: string, ...asked: Asked) => begin('/auth/{way}', asked, { way }),
    signInPage: (...asked: Asked) => begin('/sign-in', asked),
    comeBack,
    get state() {
      return store.state;
    },
    onChange: (listener: (state: State) => void) => store.onChange(listener),
    close: given.subscribe?.(look) ?? (() => {}),
  } as unknown as Client;
}
interface Window {
  location: { href: string; pathname: string };
  history: { replaceState: (data: null, unused: string, address: string) => void };
}
