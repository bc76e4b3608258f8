import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { Role, transaction, User, UserRole } from '#models/index';
import { createRole } from '#src/access/roles';
import { emit } from '#src/core/events';
import { plainHash, whyNotHash } from '#src/core/passwords';
import { namesAsColumns } from '#src/users/identifiers';
import { linesOf, type NumberedLine } from '#src/users/lines';
import { Present, type Named } from '#src/users/present';
import { personOf, type Person } from '#src/users/user-file';

export interface ImportedLine {
  number: number;
  outcome: 'imported' | 'unchanged' | 'refused';
  detail: string;
}

/** Lines in one transaction. */
const BATCH = 500;
/** How often somebody may take a name at the same moment. */
const ATTEMPTS = 5;

/**
 * Brings users in from lines of JSON (docs/migrating-users.md), and tells of each line what became of it: never a name, an address or a
 * hash. Whoever is here already is left alone, so it can be run again. Several hundred lines are all or nothing, one after the other.
 * A rehearsal tells the same and writes nothing.
 */
export async function importUsers(
  chunks: AsyncIterable<Buffer | string>,
  tell: (line: ImportedLine) => void,
  rehearsal = false,
): Promise<void> {
  const rehearsed = rehearsal ? new Present() : undefined;
  let batch: NumberedLine[] = [];
  const flush = async () => {
    for (const line of await (rehearsed ? sort(batch, rehearsed).then(({ told }) => told) : bring(batch))) tell(line);
    batch = [];
  };
  for await (const line of linesOf(chunks)) if (batch.push(line) === BATCH) await flush();
  await flush();
}

async function bring(batch: NumberedLine[], attempt = 1): Promise<ImportedLine[]> {
  try {
    return await transaction(async () => {
      const { told, fresh } = await sort(batch, new Present());
      await make(fresh);
      return told;
    });
  } catch (error) {
    // Somebody has registered since we looked: look again.
    if (error instanceof UniqueConstraintError && attempt < ATTEMPTS) return bring(batch, attempt + 1);
    throw error;
  }
}

/** Someone who is to be made. */
interface Fresh extends Named {
  person: Person;
  roles: string[];
}

/** What becomes of each line, and who is new. `present` knows who has come before. */
async function sort(batch: NumberedLine[], present: Present): Promise<{ told: ImportedLine[]; fresh: Fresh[] }> {
  const read = batch.map(({ number, text }) => ({ number, person: text === undefined ? 'it is too long, or not UTF-8' : personOf(text) }));
  await present.look(read.flatMap(({ person }) => (typeof person === 'string' ? [] : [namesOf(person)])));
  const fresh: Fresh[] = [];
  const told = read.map(({ number, person }): ImportedLine => {
    const refused = (detail: string): ImportedLine => ({ number, outcome: 'refused', detail });
    if (typeof person === 'string') return refused(person);
    const fault = typeof person.passwordHash === 'string' ? whyNotHash(person.passwordHash) : undefined;
    if (fault) return refused(fault);
    const named = namesOf(person);
    const found = present.find(named);
    if (found) return { number, ...found };
    present.add(named, number);
    const roles = [...new Set(person.roles ?? ['user'])].sort();
    fresh.push({ ...named, person, roles });
    return { number, outcome: 'imported', detail: roles.join(',') };
  });
  return { told, fresh };
}

const namesOf = ({ id, username, email }: Person): Named => ({
  id: id ?? undefined,
  usernameCanonical: username?.canonical,
  emailCanonical: email?.canonical,
});

async function make(fresh: Fresh[]): Promise<void> {
  const now = new Date();
  const users = fresh.map(({ person, roles }) => ({
    roles,
    id: person.id ?? uuid(),
    ...namesAsColumns(person),
    name: person.name ?? null,
    passwordHash: person.passwordHash ? plainHash(person.passwordHash) : null,
    emailVerifiedAt: person.email && person.emailVerified ? now : null,
    disabledAt: person.disabled ? now : null,
    createdAt: person.createdAt ?? now,
  }));
  const ids = await idsOf([...new Set(users.flatMap(({ roles }) => roles))]);
  await User.bulkCreate(users);
  await UserRole.bulkCreate(users.flatMap(({ id, roles }) => roles.map((name) => ({ userId: id, roleId: ids.get(name)! }))));
  for (const { id } of users) emit('user.imported', { userId: id });
}

/** A role that is missing is made. */
async function idsOf(names: string[]): Promise<Map<string, string>> {
  const find = async () => new Map((await Role.findAll({ where: { name: names } })).map(({ id, name }) => [name, id]));
  const there = await find();
  const missing = names.filter((name) => !there.has(name));
  for (const name of missing) await createRole(name);
  return missing.length > 0 ? find() : there;
}
