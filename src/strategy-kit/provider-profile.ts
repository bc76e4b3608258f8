/** What a provider says about a user. */
export interface ProviderClaims {
  /**
   * The provider's own permanent id of the user, 1 to 512 characters. Never an e-mail address: it
   * may pass to another person. A number must be a positive integer.
   */
  subject: string | number;
  /**
   * The site that gave this id, if the same strategy may be told to use another site one day: ids are
   * unique only at their site. The identity is then `<issuer> <subject>`.
   */
  issuer?: string | undefined;
  email?: string | null | undefined;
  /** Whether the provider has verified that the address is the user's. Only `true` counts. */
  emailVerified?: boolean | null | undefined;
  /** Becomes the username of a new user if it is valid here and free. */
  username?: string | null | undefined;
  name?: string | null | undefined;
  /**
   * Whether the user has proved two factors at the provider in this very sign-in, and the operator
   * believes it. Only `true` counts: nobody is then asked for a second factor here.
   */
  twoFactors?: boolean | undefined;
  /**
   * What the provider wants back when the user is deleted here, such as a refresh token: up to 4,096
   * characters. It is stored encrypted with the identity, and given to `revoke` of the strategy.
   */
  grant?: string | undefined;
}

const MAX_GRANT_LENGTH = 4096;
const MAX_SUBJECT_LENGTH = 512;
const textOf = (value: unknown, length = 512) =>
  typeof value === 'string' && value.length <= length ? value : undefined;

/** A user as a provider describes them, before the server knows which of its users that is. */
export class ProviderProfile {
  readonly provider: string;
  readonly subject: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly username: string | undefined;
  readonly name: string | undefined;
  readonly twoFactors: boolean;
  readonly grant: string | undefined;

  /** @throws {Error} if the subject cannot be used as one */
  constructor(provider: string, claims: ProviderClaims) {
    const { subject, issuer, email, emailVerified, username, name, twoFactors, grant } = claims;
    const whole = issuer === undefined ? String(subject) : `${issuer} ${String(subject)}`;
    if (!isSubject(subject) || whole.length > MAX_SUBJECT_LENGTH)
      throw new Error(
        `The strategy ${provider} named no user: resolveUser needs a subject of 1 to ${MAX_SUBJECT_LENGTH} characters, without control characters, and not a text such as "undefined"`,
      );
    this.provider = provider;
    this.subject = whole;
    this.email = textOf(email);
    this.emailVerified = emailVerified === true;
    this.username = textOf(username);
    this.name = textOf(name);
    this.twoFactors = twoFactors === true;
    this.grant = textOf(grant, MAX_GRANT_LENGTH);
  }
}

/**
 * The texts that code makes of a missing id, in any language, and the ids that mean none: 0 and the
 * nil UUID. As subjects they would make one user of all the people whom a provider does not name.
 */
const NOTHING =
  /^["'<([{]*(undefined|null|nan|none|<?nil>|-?infinity|true|false|object \w+|-?0+|0{8}-0{4}-0{4}-0{4}-0{12}|)["'>)\]}]*$/i;
/** The same behind something else: `acme:undefined`, `https://idp.example.com null`. */
const ENDS_IN_NOTHING = /[\s|:/#](undefined|null|nan|\[object \w+\])$/i;
/** Without one of these there is nothing to see in a text. */
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** True for a text that stands for a missing id, such as `undefined`. */
export const isNobody = (subject: string): boolean => {
  const text = subject.trim();
  return !VISIBLE.test(text) || NOTHING.test(text) || ENDS_IN_NOTHING.test(text);
};

/** Numbers beyond 2^53 are refused: two ids would become one. */
function isSubject(subject: unknown): subject is string | number {
  if (typeof subject === 'number') return Number.isSafeInteger(subject) && subject > 0;
  return (
    typeof subject === 'string' &&
    subject.length <= MAX_SUBJECT_LENGTH &&
    subject.isWellFormed() &&
    !/\p{Cc}/u.test(subject) &&
    !isNobody(subject)
  );
}
