import type { ServerApi } from '#src/server-api';
import type { StrategyContext } from '#src/strategy-kit/strategy';

/** A request, or what a provider returns through the browser. */
export interface Sample {
  /**
   * Sent as `JSON.stringify` writes it, or as a form for `responseMode: 'form_post'`. Kind `bearer`
   * gets it only with `rawBody: true`, in a POST.
   */
  body?: Record<string, unknown>;
  query?: Record<string, string | string[]>;
  headers?: Record<string, string | string[]>;
}
/**
 * A sample, or a function that makes one for each request. It gets the address to which the
 * strategy redirected the browser (kind `redirect`) or to which the request will be sent, and the
 * context that the strategy was created with.
 */
export type Example =
  | Sample
  | ((address: URL, context: StrategyContext) => Sample | Promise<Sample>);

export interface Options {
  /** Requests that the strategy accepts. Two, of two users, test more than one. */
  good: Example | readonly [Example, ...Example[]];
  /** Requests that it refuses: a wrong password, an expired key, a user who cancelled. */
  bad: readonly [Example, ...Example[]];
  /** For each step a body that it accepts. */
  steps?: Readonly<Record<string, object>>;
  /**
   * The strategy's settings, as they stand in the environment. Settings of the server are read from
   * here, too.
   */
  env?: Readonly<Record<string, string>>;
  /** The `auth` of a real server, for a strategy that uses `auth`. */
  auth?: ServerApi;
  /** Callback URL at your provider. Nothing needs to listen there: samples hold the answers. */
  callbackUrl?: string;
  /**
   * Further values that must not be repeated. Settings and members of samples that are named
   * password, token, secret, key or the like must not be repeated anyway.
   */
  secrets?: readonly string[];
  /**
   * Makes the strategy's look-up of users fail while `during` runs. Not needed for a strategy that
   * calls `resolveUser` or `auth`.
   */
  outage?: (during: () => Promise<void>) => Promise<void>;
  /** Gets what is worth knowing and no mistake: who checks the state, strategy or server. */
  note?: (sentence: string) => void;
  /**
   * How long the strategy may take, in milliseconds. Default: as in the server, 3,000, and 10,000
   * for kind `redirect`.
   */
  deadline?: number;
}
