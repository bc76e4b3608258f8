import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { DAY_MS } from '#src/lifetimes';
import { parseEmail } from '#src/platform/email-address';
import { Id } from '#src/platform/http/listing';
import { Email, Name, Username } from '#src/users/schemas';

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
  roles: z.array(z.string().toLowerCase().pipe(RoleName)).max(50).nullish(),
  disabled: z.boolean().nullish(),
  passwordHash: z.string().nullish(),
  createdAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .nullish(),
  identities: z.array(ImportedIdentity).max(20).nullish(),
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
  return data.username || data.email ? data : 'it has neither a username nor an e-mail address';
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
