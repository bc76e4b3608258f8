import type { z, ZodType } from 'zod';
import type { LimitRule } from '#src/platform/limits/limit-class';
import type { Text } from '#src/platform/messages/message';
import type { Settings } from '#src/platform/settings/settings';
import type { AppRequest } from '#src/strategy-kit/app-request';
import type { StrategyContext, StrategyUser } from '#src/strategy-kit/strategy-context';

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
  /** Default: the limits of a sign-in, by network. A function reads them from the settings of the server. */
  limit?: readonly LimitRule[] | ((settings: Readonly<Settings>) => readonly LimitRule[]);
  /** @throws {Problem} to refuse the request */
  run(body: z.output<B>, context: StrategyContext<E>, info: StepInfo): Promise<z.input<R>>;
}

/** Infers the types of a step. Annotate the context to read its `env`. */
export const step = <B extends ZodType<object>, R extends ZodType, E = unknown>(
  definition: StrategyStep<B, R, E>,
): StrategyStep<B, R, E> => definition;

/**
 * A link that a strategy sends, to `<PUBLIC_URL>/auth/<path>/link?token=…`. It opens a page of the server with one button,
 * because programs open links before people do. The button sends the browser to the app that waits for its user, with a
 * code for `POST /auth/exchange`. Only whoever asked has the code verifier (PKCE): in any other browser it is useless.
 */
export interface StrategyLink<E = unknown> {
  /** Heading of the page. */
  title: Text;
  /** One or two sentences: what the button does, and what to do if one did not ask for it. */
  text: Text;
  button: Text;
  /** What to do when the link is not good any more, in a sentence. */
  usedBefore: Text;
  /** The app that waits for this sign-in. Must not use the link up. Undefined for a link that is not valid. */
  find(token: string, context: StrategyContext<E>): Promise<AppRequest | undefined>;
  /** Uses the link up. Null for a link that is not valid. */
  open(
    token: string,
    context: StrategyContext<E>,
  ): Promise<{ user: StrategyUser; app: AppRequest } | null>;
}
