/** What a provider says of somebody. */
export interface Claims {
  /** The provider's own, lasting name for them: never an address, which may change hands. 1 to 512 characters. */
  subject: string | number;
  email?: string | null | undefined;
  /** Whether the provider has seen that the address is theirs. Only `true` counts. */
  emailVerified?: boolean | null | undefined;
  /** Taken for a new user if it is a username here, and free. */
  username?: string | null | undefined;
  name?: string | null | undefined;
}

const LONGEST_SUBJECT = 512;
const text = (value: unknown) => (typeof value === 'string' && value.length <= 512 ? value : undefined);

/** Somebody whom a strategy vouches for, before the server knows which user that is. */
export class Vouched {
  readonly provider: string;
  readonly subject: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean;
  readonly username: string | undefined;
  readonly name: string | undefined;

  constructor(provider: string, { subject, email, emailVerified, username, name }: Claims) {
    if (!['string', 'number'].includes(typeof subject) || !isSubject(String(subject)))
      throw new Error(
        `The strategy ${provider} did not say who it vouches for: userOf needs a subject of 1 to ${LONGEST_SUBJECT} characters, none of them a control character, and not a word for nobody such as "undefined"`,
      );
    this.provider = provider;
    this.subject = String(subject);
    this.email = text(email);
    this.emailVerified = emailVerified === true;
    this.username = text(username);
    this.name = text(name);
  }
}

/** What code makes of a name that is not there: with these for a subject, all whom a provider does not name would be one user. */
const NOBODY = new Set(['', 'undefined', 'null', '(null)', 'NaN', '[object Object]']);

export const isNobody = (subject: string) => NOBODY.has(subject.trim());

const isSubject = (subject: string) =>
  !isNobody(subject) && subject.length <= LONGEST_SUBJECT && subject.isWellFormed() && !/\p{Cc}/u.test(subject);
