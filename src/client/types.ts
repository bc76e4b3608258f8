import type {
  Actions,
  Device,
  Endpoints,
  Problem as AnyProblem,
  Reauthentication,
  Session,
  Tokens,
  User,
} from '#src/client/api';

/** What the client itself refuses with: nobody answered, somebody else did, the tokens cannot be read or stored. */
export interface ClientActions {
  no_answer: 'wait';
  unexpected_answer: 'wait';
  storage_failed: 'wait';
}
type AllActions = Actions & ClientActions;
type Details = Omit<AnyProblem, 'code' | 'action' | 'type' | 'requestId'> &
  Partial<Pick<AnyProblem, 'type' | 'requestId'>>;

/**
 * Why something was refused: decide by `code`, or by `action`, which says what to do next. A newer server may send codes that
 * are not listed here, so let `action` decide about those.
 */
export type Problem = {
  [C in keyof AllActions]: Details & { code: C; action: AllActions[C] };
}[keyof AllActions];

export interface Success<T> {
  ok: true;
  status: number;
  headers: Headers;
  body: T;
}
export interface Failure {
  ok: false;
  /** 0 if there was no answer. */
  status: number;
  headers?: Headers;
  body: Problem;
}
export type Result<T> = Success<T> | Failure;

type Key = keyof Endpoints;
type Method = Key extends `${infer M} ${string}` ? M : never;
type PathOf<M extends string> = Key extends infer K
  ? K extends `${M} ${infer P}`
    ? P
    : never
  : never;
type EndpointOf<M extends string, P extends string> = Endpoints[`${M} ${P}` & Key];
type BodyOf<E> = E extends { body: infer B }
  ? B
  : 'body' extends keyof E
    ? E['body'] | null
    : Record<string, never> | null | undefined;
type ReturnOf<E> = E extends { returns: infer R } ? R : undefined;
type Places = 'params' | 'query' | 'headers';
type More<E> = { [K in keyof E as K extends Places ? K : never]: E[K] };
type Arguments<E> = 'params' extends keyof E
  ? [body: BodyOf<E>, more: More<E>]
  : E extends { body: unknown }
    ? [body: BodyOf<E>, more?: More<E>]
    : [body?: BodyOf<E>, more?: More<E>];

/** Ways to sign in, by their name, and what each takes. */
export type Ways = {
  [
    K in Key as K extends `POST /auth/${infer N}`
      ? Endpoints[K] extends { body: { device?: unknown }; returns: Tokens }
        ? N
        : never
      : never
  ]: Endpoints[K] extends { body: infer B } ? B : never;
};

/** Keeps texts by name. Each method may answer at once or later. */
export interface Storage {
  get: (key: string) => string | null | Promise<string | null>;
  set: (key: string, text: string) => void | Promise<void>;
  remove: (key: string) => void | Promise<void>;
  /** Calls `changed` when somebody else, such as another tab, has changed something. Answers what ends it. */
  subscribe?: (changed: () => void) => () => void;
  /** Where the verifier of a redirect is kept until the browser comes back. Without it: here. */
  redirects?: Storage;
}

export type State =
  | { status: 'loading'; user: null; session: null }
  | { status: 'signed_in'; user: User; session: Session }
  /** `problem` is why, if nobody signed out here. */
  | { status: 'signed_out'; user: null; session: null; problem?: Problem };

/** What a user typed, or a passkey answered: for `POST /auth/mfa` and `POST /auth/reauthenticate`. */
export type Proof = Reauthentication;
/**
 * Asks the user for a proof, and answers it, or null if the user gives up. `problem.action` is `second_factor` (with
 * `problem.factors`) or `step_up`. `wrong` is true after a proof that was not right.
 */
export type Prompt = (
  problem: Extract<Problem, { action: 'second_factor' | 'step_up' }>,
  wrong: boolean,
) => Promise<Proof | null>;

/** Sends requests with a proof that this device holds a key. `dpop()` of `sallyport/client/dpop` makes it. */
export type Dpop = (send: typeof fetch, name: string, url: string) => typeof fetch;

export interface ClientOptions {
  /** Where the server is: its `PUBLIC_URL`. */
  url: string;
  /** Default: `localStorage` in a browser, memory elsewhere. */
  storage?: Storage;
  /**
   * For a page on the server's own origin: the refresh token is in a cookie that no script can read, the access token in
   * memory, and the storage says only that there may be a session.
   */
  credentials?: 'cookie';
  /** Sent with every sign-in. Users recognise their devices by it. */
  device?: Device;
  /** Default: the global one. */
  fetch?: typeof fetch;
  /** Binds sessions to a key of this device: `dpop()` of `sallyport/client/dpop`. */
  dpop?: Dpop;
  /** Origins, such as `https://api.example.com`, that `client.fetch` also sends the token to. */
  apis?: readonly string[];
  /** With it, second factors and step-ups are asked for, and what needed them goes on by itself. */
  prompt?: Prompt;
  /** The name in the storage. Default: `sallyport`. */
  key?: string;
  /** Milliseconds to wait for an answer of the server. Default: 10 000. */
  timeout?: number;
  /** Waits between two attempts. For tests. */
  sleep?: (seconds: number) => Promise<unknown>;
}

export interface Client {
  /** Signs in with a way of the server: `login`, or one of `GET /auth/strategies`. */
  signIn: {
    (credentials: Ways['login']): Promise<Result<Tokens>>;
    <N extends keyof Ways>(credentials: Ways[N], way: N): Promise<Result<Tokens>>;
    (credentials: Record<string, unknown>, way: string & {}): Promise<Result<Tokens>>;
  };
  /** 202 without tokens: the server wants the address confirmed first. */
  signUp: (
    registration: Ways['register'],
  ) => Promise<Result<Tokens | { status: 'verification_required' }>>;
  /** Signs out here at once. If the server does not hear of it now, it is told later. */
  signOut: (options?: { everywhere?: boolean }) => Promise<Result<undefined>>;
  /** Asks the server. What it refuses is an answer, too: it rejects for mistakes in the program only. */
  request: <M extends Method, P extends PathOf<M>>(
    method: M,
    path: P,
    ...given: Arguments<EndpointOf<M, P>>
  ) => Promise<Result<ReturnOf<EndpointOf<M, P>>>>;
  /** `fetch` for your own API, with the access token. */
  fetch: typeof fetch;
  /** The address that begins a sign-in with a provider. Send the browser there. */
  redirectTo: (
    way: string,
    redirectUri: string,
    parameters?: Record<string, string>,
  ) => Promise<string>;
  /** The address of the sign-in page of the server (HOSTED_PAGES). Send the browser there. */
  signInPage: (redirectUri: string, parameters?: Record<string, string>) => Promise<string>;
  /** What proves to the server that whoever comes back is who asked. It is remembered until then. */
  newChallenge: () => Promise<{ codeChallenge: string; state: string }>;
  /**
   * Takes what came back to `redirectUri`, and signs in; with `link`, links that provider to the user instead. Null if the
   * address is no answer to a question of this client.
   */
  comeBack: (address?: string, link?: string) => Promise<Result<Tokens> | null>;
  /** Who is signed in, as far as this client knows. */
  readonly state: State;
  /** Calls `listener` with each new state. Answers what ends it. */
  onChange: (listener: (state: State) => void) => () => void;
  /** Listens to the storage no more. */
  close: () => void;
}
