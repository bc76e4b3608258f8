import type { ZodType } from 'zod';
import type { Context } from '#src/context';

/** For whom a second factor is asked, and by which request. */
export interface FactorRequest {
  readonly userId: string;
  /**
   * 256 bits in base64url that belong to this one request: the same when options are made and when the answer is
   * verified, and known to nobody before. What WebAuthn signs can be made of it.
   */
  readonly challenge: string;
}

/** What a right answer proves. */
export interface ProvenFactor {
  /** Authentication method references (RFC 8176), such as `otp`. */
  readonly amr: readonly string[];
}

/** What a client needs before it can answer, such as the options of WebAuthn. */
interface FactorOptions {
  /** The member of the answer of `POST /auth/mfa/options`. */
  readonly member: string;
  readonly schema: ZodType;
  /** Undefined if the user has nothing of this kind. */
  make(ctx: Context, request: FactorRequest): Promise<object | undefined>;
}

/**
 * One way to prove a second factor. To add one, append it to the list in `factors/kinds`: routes, schemas and the challenge
 * of a sign-in follow from it.
 */
export interface FactorKind<Answer = unknown> {
  /** As in `GET /me/factors` and in the `factors` of `mfa_required`. */
  readonly name: string;
  /** The member of a body that holds the answer. */
  readonly member: 'code' | 'recoveryCode' | 'credential';
  readonly answer: ZodType<Answer>;
  /** Whether the user can answer in this way. */
  isAvailable(ctx: Context, userId: string): Promise<boolean>;
  /**
   * Null for a wrong answer. It throws a Problem if no answer could be right: that is no guess. A right one is spent: of many callers with the same answer, on any nodes, one gets a result.
   * It runs in a transaction and may run again.
   */
  verify(ctx: Context, request: FactorRequest, answer: Answer): Promise<ProvenFactor | null>;
  readonly options?: FactorOptions;
}
