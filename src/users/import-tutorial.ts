import { UniqueConstraintError } from 'sequelize';
import { validate as isUuid } from 'uuid';
import { Role, transaction, User, UserRole } from '#models/index';
import { createRole, RoleName } from '#src/access/roles';
import { emit } from '#src/core/events';
import { hashPassword, isHash } from '#src/core/passwords';
import { email, namesAsColumns, username, type Identifier } from '#src/users/identifiers';
import { peopleOf, type Row, type Source, type Text } from '#src/users/tutorial-tables';

export interface Line {
  who: string;
  outcome: 'imported' | 'already here' | 'refused';
  detail: string;
}

class DryRun extends Error {}
class Refused extends Error {}

/**
 * Brings users, roles and who has which over from a tutorial's database, one line told for each user. Passwords stay valid. Whoever
 * is here already is left alone, so it can be run again. A rehearsal says the same and leaves everything as it was: each user is
 * undone at once, so that a server on the same database is not kept waiting.
 */
export async function importTutorial(from: string, source: Source, tell: (line: Line) => void, rehearsal = false): Promise<void> {
  const rehearsed = rehearsal ? new Set<string>() : undefined;
  for await (const { row, roles } of peopleOf(from, source)) tell(await bring(row, roles.length > 0 ? roles : ['user'], source, rehearsed));
}

/** A number becomes the end of a UUID (version 8, RFC 9562 §5.8), so that other tables of yours can follow by rule. */
function idOf(id: unknown, { number }: Source): string | null {
  if (typeof id === 'string' && isUuid(id)) return id.toLowerCase();
  if (!/^\d{1,12}$/.test(String(id))) return null;
  return `00000000-0000-8000-800${number.toString(16)}-${String(id).padStart(12, '0')}`;
}

async function bring(row: Row, roles: string[], source: Source, rehearsed?: Set<string>): Promise<Line> {
  const person = source.person(row);
  const who = `${row['id']} ${person.username ?? person.email ?? ''}`.replaceAll(UNSEEN, '?').slice(0, 100).trim();
  try {
    return { who, ...(await add(row, roles, source, rehearsed)) };
  } catch (error) {
    if (error instanceof Refused) return { who, outcome: 'refused', detail: error.message.replaceAll(UNSEEN, '?') };
    if (error instanceof UniqueConstraintError) return { who, outcome: 'refused', detail: 'somebody here has this name or address' };
    throw error;
  }
}
/** What would break a line, or move the cursor of whoever reads it. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

async function add(row: Row, roles: string[], source: Source, rehearsed?: Set<string>): Promise<Pick<Line, 'outcome' | 'detail'>> {
  const person = source.person(row);
  const id = idOf(row['id'], source);
  if (!id) throw new Refused('its id is neither a number of up to 12 digits nor a UUID');
  const names = { username: read(person.username, username), email: read(person.email, email) };
  if (!names.username && !names.email) throw new Refused('it has neither a username nor an e-mail address');
  const here = await User.findByPk(id);
  if (here) {
    // They may have changed or added one of the two meanwhile.
    const same = [names.username?.canonical === here.usernameCanonical, names.email?.canonical === here.emailCanonical].includes(true);
    if (!same) throw new Refused('another user here has this id');
    return { outcome: 'already here', detail: '' };
  }
  const roleNames = [...new Set(roles)].sort();
  const odd = roleNames.find((name) => !RoleName.safeParse(name).success);
  if (odd !== undefined) throw new Refused(`its role ${JSON.stringify(odd)} is no name for a role here`);
  const passwordHash = await hashOf(row['password'], source, rehearsed !== undefined);
  const created = {
    id,
    ...namesAsColumns(names),
    passwordHash,
    name: person.name?.trim().slice(0, 100).toWellFormed() || null,
    ...sinceOf(row['createdAt']),
  };
  await (rehearsed ? rehearse(created, roleNames, rehearsed) : make(created, roleNames));
  return { outcome: 'imported', detail: roleNames.join(',') };
}

type NewUser = Parameters<typeof User.create>[0] & Pick<User, 'id' | 'usernameCanonical' | 'emailCanonical'>;

const make = (user: NewUser, roleNames: string[], end = () => emit('user.imported', { userId: user.id })) =>
  transaction(async () => {
    await User.create(user);
    for (const name of roleNames) {
      const find = () => Role.findOne({ where: { name } });
      const role = (await find()) ?? (await createRole(name), await find());
      await UserRole.create({ userId: user.id, roleId: role!.id });
    }
    end();
  });

/** Makes the user and unmakes them; those who were rehearsed before count as here. */
async function rehearse(user: NewUser, roleNames: string[], rehearsed: Set<string>): Promise<void> {
  const names = [user.usernameCanonical, user.emailCanonical].filter((name) => name !== null);
  if (rehearsed.has(user.id)) throw new Refused('another user here has this id');
  if (names.some((name) => rehearsed.has(name))) throw new UniqueConstraintError({});
  const undone = make(user, roleNames, () => {
    throw new DryRun();
  });
  await undone.catch((error: unknown) => {
    if (!(error instanceof DryRun)) throw error;
  });
  for (const name of [user.id, ...names]) rehearsed.add(name);
}

const sinceOf = (time: unknown) => (time instanceof Date && !Number.isNaN(time.getTime()) ? { createdAt: time } : {});

function read(value: Text, as: typeof username): Identifier | null {
  if (!value) return null;
  const found = as(value);
  if ('code' in found) throw new Refused(found.message);
  return found;
}

/** A bcrypt hash stays; it is renewed when its owner signs in. One that is dearer than any of ours would keep the server busy for days. */
async function hashOf(password: unknown, { plain }: Source, rehearsal: boolean): Promise<string> {
  if (typeof password !== 'string' || password === '') throw new Refused('it has no password');
  if (isHash(password) && /^\$2[aby]\$(0[4-9]|1[0-5])\$/.test(password)) return password;
  if (!plain) throw new Refused('its password is not a bcrypt hash with a cost of 4 to 15');
  return rehearsal ? '' : hashPassword(password);
}
