import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { DAY_MS } from '#src/lifetimes';
import { Id } from '#src/platform/http/listing';
import { Email, Name, Username } from '#src/users/schemas';

/** One user in a file: a line of JSON. Null is the same as missing. */
const UserLine = z.strictObject({
  id: Id.nullish(),
  username: Username.nullish(),
  email: Email.nullish(),
  emailVerified: z.boolean().nullish(),
  name: Name.nullish(),
  roles: z.array(RoleName).max(50).nullish(),
  disabled: z.boolean().nullish(),
  passwordHash: z.string().nullish(),
  createdAt: z.iso
    .datetime({ offset: true })
    .transform((text) => new Date(text))
    .nullish(),
});
export type UserLine = z.output<typeof UserLine>;

/**
 * Parses a line. Answers a sentence if the line cannot be imported. The sentence repeats nothing of the line but the
 * names of keys. `now`: milliseconds since 1970.
 */
export function parseUserLine(text: string, now: number): UserLine | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    return 'it is not a JSON object';
  const { success, data, error } = UserLine.safeParse(json);
  if (!success) return sentenceOf(error.issues[0]!);
  if (data.createdAt && !isPast(data.createdAt, now))
    return 'its createdAt: is not between 1970 and now';
  return data.username || data.email ? data : 'it has neither a username nor an e-mail address';
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
