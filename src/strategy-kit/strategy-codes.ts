/** Who is sent a code. */
export interface NewCode {
  /** Whom it is sent to, such as an address in its canonical form. Each recipient has one code at a time. */
  recipient: string;
  /** The user who has this address, if there is one. What voids their other codes and links voids this one, too. */
  userId?: string | undefined;
  /** Anything that JSON can hold, stored encrypted. */
  data?: unknown;
  ttlSeconds: number;
}

interface IssuedCode {
  /** For whoever asked: the code works only together with it. */
  requestToken: string;
  /** Six digits for the recipient. Only a keyed digest of them is stored. */
  code: string;
  /** For a link to the recipient, in place of typing the code. See `link` of a strategy. */
  linkToken: string;
}

export interface SentCode<T> {
  recipient: string;
  data: T;
}

/**
 * Codes that one strategy sends to people, such as by mail or SMS. All nodes share them. Code and link work once, together:
 * when one was used, the other is void.
 */
export interface StrategyCodes {
  /** Makes a code. It replaces the one that this recipient was sent before. */
  issue(code: NewCode): Promise<IssuedCode>;
  /** A request token without a code. Answer it where a recipient is sent nothing: it looks like any other. */
  decoy(): string;
  /** Which code a request token belongs to. Counts nothing, and leaves the code valid. */
  find<T>(requestToken: string): Promise<SentCode<T> | undefined>;
  /**
   * Takes a code. Undefined for a wrong one: the fifth ends the request. Undefined, too, when it was used, was replaced or
   * has expired. Of several callers at the same time one gets it.
   */
  redeem<T>(requestToken: string, code: string): Promise<SentCode<T> | undefined>;
  /** Which code a link belongs to. Leaves it valid. */
  findLink<T>(linkToken: string): Promise<SentCode<T> | undefined>;
  /** Takes the code that a link belongs to. Of several callers at the same time one gets it. */
  redeemLink<T>(linkToken: string): Promise<SentCode<T> | undefined>;
}
