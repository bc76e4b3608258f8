import { z } from 'zod';
import { Id } from '#src/core/listing';
import { RoleName } from '#src/access/roles';
import { Email, Name, Username } from '#src/users/schemas';

/** A clock over there may be ahead, in milliseconds. */
const AHEAD = 86_400_000;
const since = z.iso
  .datetime({ offset: true })
  .transform((text) => new Date(text))
  .refine((time) => time.getTime() >= 0 && time.getTime() <= Date.now() + AHEAD, 'is not between 1970 and now');

/** One user in a file: a line of JSON. What is null is not there. */
const Line = z.strictObject({
  id: Id.nullish(),
  username: Username.nullish(),
  email: Email.nullish(),
  emailVerified: z.boolean().nullish(),
  name: Name.nullish(),
  roles: z.array(RoleName).max(50).nullish(),
  disabled: z.boolean().nullish(),
  passwordHash: z.string().nullish(),
  createdAt: since.nullish(),
});
export type Person = z.output<typeof Line>;

/** What a line says, or a sentence why it cannot be taken. The sentence repeats nothing of the line but the names of keys. */
export function personOf(text: string): Person | string {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return 'it is not JSON';
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return 'it is not a JSON object';
  const { success, data, error } = Line.safeParse(json);
  if (!success) return sentenceOf(error.issues[0]!);
  return data.username || data.email ? data : 'it has neither a username nor an e-mail address';
}

function sentenceOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys.find((name) => /^\w{1,40}$/.test(name));
    return key ? `its key ${key} is not known here` : 'one of its keys is not known here';
  }
  return `its ${String(issue.path[0])}: ${issue.message}`;
}
