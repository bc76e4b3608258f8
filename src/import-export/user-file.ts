import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { FactorLine, Moment } from '#src/import-export/factor-line';
import { DAY_MS } from '#src/lifetimes';
import { parseEmail } from '#src/platform/email-address';
import { Id } from '#src/platform/http/listing';
import { Email, Name, UserLocale, Username } from '#src/users/schemas';

/** An account at a provider. The provider is the name of a strategy. */
const ImportedIdentity = z.strictObject({
  provider: z.string().regex(/^[a-z][a-z0-9-]{0,63}$/, 'A provider is the name of a strategy'),
  subject: z.string().trim().min(1).max(512),
});

/** One user in a file: a line of JSON. Null is the same as missing. */
const UserLine = z.strictObject({
  id: Id.nullish(),
  username: Username.nullish(),
  email: Email.nullish(),
  emailVerified: z.boolean().nullish(),
  name: Name.nullish(),
  locale: UserLocale.nullish(),
  roles: z.array(z.string().toLowerCase().pipe(RoleName)).max(50).nullish(),
  disabled: z.boolean().nullish(),
  passwordHash: z.string().nullish(),
  createdAt: Moment.nullish(),
  identities: z.array(ImportedIdentity).max(20).nullish(),
  factors: z.array(FactorLine).max(20).nullish(),
  recoveryCodeHashes: z
    .array(z.string().regex(/^[0-9a-f]{64}$/, 'A hash is SHA-256 in hexadecimal'))
    .max(10)
    .nullish(),
});
export type UserLine = z.output<typeof UserLine>;

/**
 * Parses a user of a file. Answers a sentence if it cannot be imported. The sentence repeats nothing of the user but the
 * names of keys. `now`: milliseconds since 1970.
 */
export function parseUserLine(json: unknown, now: number): UserLine | string {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return 'it is not a JSON object';
  const named = withAddress(json as Record<string, unknown>);
  if (typeof named === 'string') return named;
  const { success, data, error } = UserLine.safeParse(named);
  if (!success) return sentenceOf(error.issues[0]!);
  if (data.createdAt && !isPast(data.createdAt, now))
    return 'its createdAt: is not between 1970 and now';
  if (!data.username && !data.email) return 'it has neither a username nor an e-mail address';
  return faultOfFactors(data, now) ?? data;
}

/** A passkey names its user by the id, and the digest of a recovery code is made of it, too. */
function faultOfFactors(line: UserLine, now: number): string | undefined {
  const factors = line.factors ?? [];
  const times = factors.flatMap((each) => ('createdAt' in each ? [each.createdAt] : []));
  const used = factors.flatMap((each) => ('lastUsedAt' in each ? [each.lastUsedAt] : []));
  if ([...times, ...used].some((time) => time && !isPast(time, now)))
    return 'its factors: a time is not between 1970 and now';
  if (line.id) return undefined;
  if (factors.some(({ kind }) => kind === 'passkey')) return 'its factors: a passkey needs the id';
  return line.recoveryCodeHashes?.length ? 'its recoveryCodeHashes: they need the id' : undefined;
}

/** Elsewhere a username may be an address. It becomes the address here, and its owner signs in with it as before. */
function withAddress(line: Record<string, unknown>): object | string {
  const { username, email } = line;
  if (typeof username !== 'string' || !username.includes('@')) return line;
  const found = parseEmail(username);
  if ('code' in found) return line;
  const own = typeof email === 'string' ? parseEmail(email) : found;
  if (!('code' in own) && own.canonical === found.canonical)
    return { ...line, username: null, email: email ?? username };
  return 'its username is an e-mail address, and not its own one';
}

/** The clock of the other system may be up to a day ahead. */
const isPast = (time: Date, now: number) => time.getTime() >= 0 && time.getTime() <= now + DAY_MS;

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys.find((name) => /^\w{1,40}$/.test(name));
    return key ? `its key ${key} is not known here` : 'one of its keys is not known here';
  }
  return `its ${String(issue.path[0])}: ${issue.message}`;
}
