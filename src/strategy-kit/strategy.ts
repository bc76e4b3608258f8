import type { Request } from 'express';
import type { z, ZodObject, ZodType } from 'zod';
import type { ZodOpenApiSecuritySchemeObject as Scheme } from 'zod-openapi';
import type { Settings } from '#src/platform/settings/settings';
import type { StrategyContext } from '#src/strategy-kit/strategy-context';
import type { StrategyLink, StrategyStep } from '#src/strategy-kit/step';
import type { Principal } from '#src/users/principal';

export { EmailInput } from '#src/platform/email-input';
export { Problem } from '#src/platform/http/problem';
export { custom, later, verify } from '#src/strategy-kit/adapters';
export {
  AppState,
  CodeChallenge,
  RedirectUri,
  type AppRequest,
} from '#src/strategy-kit/app-request';
export { DeviceInput } from '#src/strategy-kit/device-input';
export { rawBodyOf } from '#src/strategy-kit/raw-body';
export type { StrategyContext, StrategyUser } from '#src/strategy-kit/strategy-context';
export { step, type StepInfo, type StrategyLink, type StrategyStep } from '#src/strategy-kit/step';

declare global {
  namespace Express {
    // eslint-disable-next-line typescript/no-empty-object-type -- this tells Passport's types what a user is
    interface User extends Principal {}
  }
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
  /** The user of this server, if there is one. Events name it. */
  userId?: string | undefined;
}

/** What an app may ask of a sign-in at a provider, as OpenID Connect Core §3.1.2.1 names it. */
export type AuthorizationParameter =
  | 'prompt'
  | 'login_hint'
  | 'acr_values'
  | 'ui_locales'
  | 'max_age';

/** The contract of a file in strategies/: it describes itself and creates a Passport strategy. */
export interface AuthStrategy<E extends ZodObject = ZodObject> {
  /** Same as the name of the file. Sessions record it. */
  name: string;
  /**
   * The provider of the identities that `resolveUser` names. Default: the name. Two strategies for
   * one provider share it, so that a person is one user on the web and on a phone.
   */
  provider?: string;
  /** Path under /auth. Default: the name. */
  path?: string;
  /** `login`: JSON in, tokens out. `redirect`: at a provider. `bearer`: with every request. */
  kind: 'login' | 'redirect' | 'bearer';
  /** One sentence for the API page. */
  summary: string;
  /**
   * Its own settings. If none is set, the strategy is off. If some are set, all must be valid, or
   * the server does not start.
   */
  env?: E;
  /** Names of settings in `env` that another strategy has, too. They do not switch this one on. */
  sharedSettings?: readonly string[];
  /**
   * False switches it off, whatever its own settings are: for what a setting of the server decides.
   * Default: it is on if its settings are there.
   */
  isOn?(settings: Readonly<Settings>): boolean;
  /**
   * For kind `login`: JSON body of its route. With `device: DeviceInput.optional()` clients can
   * name their device.
   */
  credentials?: ZodType<object>;
  /** For kind `login`: requests before the sign-in, as `POST /auth/<path>/<step>`. */
  steps?: Readonly<Record<string, StrategyStep<ZodType<object>, ZodType, z.output<E>>>>;
  /** For kind `login`: the page that a link in its messages opens. No step is named `link` then. */
  link?: StrategyLink<z.output<E>>;
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
  /**
   * For kind `bearer`: its OpenAPI security scheme. A function of its settings, if these name the
   * header. A request with this header and another credential is refused.
   */
  scheme?: Scheme | ((env: z.output<E>) => Scheme);
  /**
   * For kind `bearer`: false for a header of the scheme that is no credential, such as one that a
   * proxy sends without a name in it. Default: it is one.
   */
  isCredential?(req: Request, context: StrategyContext<z.output<E>>): boolean;
  /**
   * For kind `bearer`: gives the strategy the bytes of the body, to check a signature. Read them
   * with `rawBodyOf(req)`. The route still gets its parsed body.
   */
  rawBody?: boolean;
  /**
   * For kinds `login` and `redirect`: how it proves who somebody is (RFC 8176), such as `otp`.
   * Default: `pwd` for `login`, `fed` for `redirect`. Claim no more than it proves: `mfa`, or `hwk`
   * with `user`, makes the session `aal2`.
   */
  amr?: readonly string[];
  /** For kind `redirect`: `form_post` if the provider answers with a form (SAML, Apple). */
  responseMode?: 'query' | 'form_post';
  /**
   * For kind `redirect`: what apps may add to `GET /auth/<path>`. The strategy finds it in the
   * options of authenticate(), in camel case: `loginHint`. Anything else is refused.
   */
  authorizationParameters?: readonly AuthorizationParameter[];
  /**
   * Asks the provider, for `sallyport doctor`. Answers what is wrong with it, with these settings or
   * with certificates: one plain sentence each, with the remedy, and without secrets. Empty if all
   * is well. It must end within ten seconds and should not throw.
   */
  check?(settings: z.output<E>): Promise<string[]>;
  /**
   * Imports a large library that the strategy needs: `() => import('ldapts')`. It is awaited before
   * the server is ready. A strategy that is off loads nothing.
   */
  load?(): Promise<unknown>;
  /**
   * Ends at the provider what `resolveUser` was given as `grant`. Called after the identity was
   * deleted, and again if it throws. It must succeed for a grant that has ended before.
   */
  revoke?(grant: string, settings: z.output<E>): Promise<void>;
  /** Called once, when the server starts. */
  create(context: StrategyContext<z.output<E>>): PassportStrategy;
}

/** Infers the types of a strategy. */
export const defineStrategy = <E extends ZodObject = ZodObject<{}>>(
  strategy: AuthStrategy<E>,
): AuthStrategy<E> => strategy;
