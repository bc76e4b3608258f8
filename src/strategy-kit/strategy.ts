import type { z, ZodObject, ZodType } from 'zod';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import type { User } from '#models/index';
import type { LimitRule } from '#src/platform/limits/limits';
import type { Settings } from '#src/platform/settings/settings';
import type { ServerApi } from '#src/server-api';
import type { ProviderClaims, ProviderProfile } from '#src/strategy-kit/provider-profile';
import type { StateStore } from '#src/strategy-kit/state-store';
import type { StrategyStore } from '#src/strategy-kit/strategy-store';
import type { Principal } from '#src/users/principal';

export { Problem } from '#src/platform/http/problem';
export { custom, later, verify } from '#src/strategy-kit/adapters';
export { DeviceInput } from '#src/strategy-kit/device-input';

declare global {
  namespace Express {
    // eslint-disable-next-line typescript/no-empty-object-type -- this tells Passport's types what a user is
    interface User extends Principal {}
  }
}

/**
 * What a strategy may give success(): a row loaded with its roles, a principal, or what
 * `resolveUser` answered.
 */
export type StrategyUser = User | Principal | ProviderProfile | Express.User;

/** What the server gives to a strategy. `E`: the strategy's own settings. */
export interface StrategyContext<E = unknown> {
  /** The strategy's own settings, parsed. */
  env: E;
  /** Absolute URL to which the provider redirects the browser. For kind `redirect`. */
  callbackUrl: string;
  /**
   * A state store for packages of the passport-oauth2 family, with PKCE. Without one these packages
   * check no state, and the server does.
   */
  state: StateStore;
  /** Values with a lifetime that all nodes share, such as codes that were sent. */
  store: StrategyStore;
  /**
   * Says which user the provider named. The server finds, links or creates the user after the
   * strategy has succeeded. Give the answer to Passport as the user, and read nothing from it.
   */
  resolveUser: (claims: ProviderClaims) => Promise<Express.User>;
  /** The same function as `resolveUser`, under an older name. */
  userOf: (claims: ProviderClaims) => Promise<Express.User>;
  /** Finds users, compares passwords and checks credentials of this server. */
  auth: ServerApi;
  /** The settings of the server. */
  settings: Readonly<Settings>;
}

/** An ordinary Passport strategy, whatever types its package has for requests. */
export interface PassportStrategy {
  authenticate(req: never, options: never): unknown;
}

/** The account that failed sign-ins are counted against. */
export interface ThrottleSubject {
  id: string;
  /** The networks from which its user has signed in before. They have counters of their own. */
  networks: readonly string[];
}

/** Where the request of a step came from. */
export interface StepInfo {
  /** The client's address, if it is known. */
  ip?: string | undefined;
  /** The network that limits count: an IPv4 address, or the first 64 bits of an IPv6 address. */
  network: string;
}

/**
 * A request before the sign-in itself, such as one that asks for a code. The server makes the
 * route, the validation, the limits and the OpenAPI of it. A step that fails is no failed sign-in:
 * it is not counted against an account.
 */
export interface StrategyStep<
  B extends ZodType<object> = ZodType<object>,
  R extends ZodType = ZodType,
  E = unknown,
> {
  /** One sentence for the API page. */
  summary: string;
  /** JSON body. Use `z.strictObject`: unknown fields must be refused. */
  body: B;
  /** JSON answer. Members that it does not name are not sent. */
  returns: R;
  /** Status of the answer: 200 by default, 202 if the result comes later, such as by mail. */
  status?: number;
  /** Default: the limits of a sign-in, by network. */
  limit?: readonly LimitRule[];
  /** @throws {Problem} to refuse the request */
  run(body: z.output<B>, context: StrategyContext<E>, info: StepInfo): Promise<z.input<R>>;
}

/** Infers the types of a step. Annotate the context to read its `env`. */
export const step = <B extends ZodType<object>, R extends ZodType, E = unknown>(
  definition: StrategyStep<B, R, E>,
): StrategyStep<B, R, E> => definition;

/** The contract of a file in strategies/: it describes itself and creates a Passport strategy. */
export interface AuthStrategy<E extends ZodObject = ZodObject> {
  /**
   * Same as the name of the file. Sessions record it, and it is the provider of an identity.
   */
  name: string;
  /** Path under /auth. Default: the name. */
  path?: string;
  /**
   * `login`: JSON in, tokens out. `redirect`: signs in at a provider. `bearer`: authenticates every
   * request.
   */
  kind: 'login' | 'redirect' | 'bearer';
  /** One sentence for the API page. */
  summary: string;
  /**
   * Its own settings. If none is set, the strategy is off. If some are set, all must be valid, or
   * the server does not start.
   */
  env?: E;
  /**
   * For kind `login`: JSON body of its route. With `device: DeviceInput.optional()` clients can
   * name their device.
   */
  credentials?: ZodType<object>;
  /** For kind `login`: requests before the sign-in, as `POST /auth/<path>/<step>`. */
  steps?: Readonly<Record<string, StrategyStep<ZodType<object>, ZodType, z.output<E>>>>;
  /**
   * For kind `login`: against which account failures are counted. Default: the first of the
   * credentials `identifier`, `username`, `email` and `login`, as typed.
   */
  account?: {
    /** The field of the credentials that names the account. */
    field: string;
    /** Which account a name means. Default: the name as typed. */
    find?: (name: string, context: StrategyContext<z.output<E>>) => Promise<ThrottleSubject>;
  };
  /** For kind `bearer`: its OpenAPI security scheme. */
  scheme?: ZodOpenApiSecuritySchemeObject;
  /**
   * For kind `bearer`: gives the strategy the bytes of the body, to check a signature. Read them
   * with `rawBodyOf(req)`. The route still gets its parsed body.
   */
  rawBody?: boolean;
  /** For kind `redirect`: `form_post` if the provider answers with a form (SAML, Apple). */
  responseMode?: 'query' | 'form_post';
  /** Called once, when the server starts. */
  create(context: StrategyContext<z.output<E>>): PassportStrategy;
}

/** Infers the types of a strategy. */
export const defineStrategy = <E extends ZodObject = ZodObject<{}>>(
  strategy: AuthStrategy<E>,
): AuthStrategy<E> => strategy;

/**
 * The bytes of the body, empty if the request has none. For strategies with `rawBody: true`.
 * @throws {Error} for any other strategy, or if the host app has read the body before
 */
export function rawBodyOf(req: object): Buffer {
  const { rawBody } = req as { rawBody?: unknown };
  if (!Buffer.isBuffer(rawBody))
    throw new Error(
      'There are no bytes of the body: declare `rawBody: true` in the strategy. If the host app reads bodies, it must store the bytes in req.rawBody.',
    );
  return rawBody;
}
