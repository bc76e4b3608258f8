/** What a provider says about a user. */
export interface ProviderClaims {
  /**
   * The provider's own permanent id of the user, 1 to 512 characters. Never an e-mail address: it
   * may pass to another person.
   */
  subject: string | number;
  email?: string | null | undefined;
  /** Whether the provider has verified that the address is the user's. Only `true` counts. */
  emailVerified?: boolean | null | undefined;
  /** Becomes the username of a new user if it is valid here and free. */
  username?: string | null | undefined;
  name?: string | null | undefined;
}

const MAX_SUBJECT_LENGTH = 512;
const textOf = (value: unknown) =>
  typeof value === 'string' && value.length <= 512 ? value : undefined;

/** A user as a provider describes them, before the server knows which of its users that is. */
export class ProviderProfile {
  readonly provider: string;
  readonly subject: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly username: string | undefined;
  readonly name: string | undefined;

  /** @throws {Error} if the subject cannot be used as one */
  constructor(provider: string, claims: ProviderClaims) {
    const { subject, email, emailVerified, username, name } = claims;
    if (!['string', 'number'].includes(typeof subject) || !isSubject(String(subject)))
      throw new Error(
        `The strategy ${provider} named no user: resolveUser needs a subject of 1 to ${MAX_SUBJECT_LENGTH} characters, without control characters, and not a text such as "undefined"`,
      );
    this.provider = provider;
    this.subject = String(subject);
    this.email = textOf(email);
    this.emailVerified = emailVerified === true;
    this.username = textOf(username);
    this.name = textOf(name);
  }
}

/**
 * The texts that code makes of a missing id. As subjects they would make one user of all the people
 * whom a provider does not name.
 */
const NOBODY = new Set(['', 'undefined', 'null', '(null)', 'NaN', '[object Object]']);

/** True for a text that stands for a missing id, such as `undefined`. */
export const isNobody = (subject: string): boolean => NOBODY.has(subject.trim());

const isSubject = (subject: string) =>
  !isNobody(subject) &&
  subject.length <= MAX_SUBJECT_LENGTH &&
  subject.isWellFormed() &&
  !/\p{Cc}/u.test(subject);
