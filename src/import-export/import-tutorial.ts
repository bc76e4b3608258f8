import { UniqueConstraintError } from 'sequelize';
import { validate as isUuid } from 'uuid';
import { createRole, RoleName } from '#src/access/roles';
import type { Context } from '#src/context';
import { printable, type RenameFile } from '#src/import-export/rename-file';
import {
  personOf,
  readUsers,
  type Person,
  type Text,
  type TutorialSource,
  type TutorialUser,
} from '#src/import-export/tutorial-tables';
import { parseEmail, type Identifier } from '#src/platform/email-address';
import { username } from '#src/users/identifiers';
import { userRow } from '#src/users/user-row';

/** What happened to one user. */
export interface ImportedUser {
  who: string;
  outcome: 'imported' | 'already here' | 'refused';
  /** The roles of an imported user, or a reason. */
  detail: string;
}
type Outcome = Pick<ImportedUser, 'outcome' | 'detail'>;

class DryRun extends Error {}
class Refused extends Error {}
/** Another name would do. */
class BadName extends Refused {}

interface Import {
  source: TutorialSource;
  renames: RenameFile | undefined;
  /** Of a dry run: ids and names of the users so far. */
  tried: Set<string> | undefined;
}

/**
 * Imports users, roles and their links from the database of a tutorial, and reports the outcome of each user. Passwords
 * stay valid. Users who exist are left alone, so an import can be run again. A dry run reports the same and changes
 * nothing: each user is undone at once, so that a server on the same database does not have to wait. `renames` is asked for
 * new names, and told which users were refused because of theirs.
 */
export async function importTutorial(
  ctx: Context,
  url: string,
  source: TutorialSource,
  report: (user: ImportedUser) => void,
  dryRun = false,
  renames?: RenameFile,
): Promise<void> {
  const run: Import = { source, renames, tried: dryRun ? new Set() : undefined };
  for await (const user of readUsers(url, source)) report(await importOne(ctx, run, user));
}

/**
 * A number becomes the end of a UUID (version 8, RFC 9562 §5.8), so the ids in other tables can be converted by the same
 * rule.
 */
function idOf(id: unknown, { number }: TutorialSource): string | null {
  if (typeof id === 'string' && isUuid(id)) return id.toLowerCase();
  if (!/^\d{1,12}$/.test(String(id))) return null;
  return `00000000-0000-8000-800${number.toString(16)}-${String(id).padStart(12, '0')}`;
}

async function importOne(ctx: Context, run: Import, user: TutorialUser): Promise<ImportedUser> {
  const { id } = user.row;
  const original = run.source.person(user.row);
  const name = original.username ?? original.email ?? '';
  const who = printable(`${id} ${name}`).slice(0, 100).trim();
  const refuse = (reason: string, isAboutName: boolean): ImportedUser => {
    if (isAboutName) run.renames?.refused(id, name, reason);
    return { who, outcome: 'refused', detail: printable(reason) };
  };
  try {
    const person = personOf(original, run.renames?.nameFor(id));
    return { who, ...(await addUser(ctx, run, user, person)) };
  } catch (error) {
    if (error instanceof Refused) return refuse(error.message, error instanceof BadName);
    if (error instanceof UniqueConstraintError)
      return refuse('somebody here has this name or address', true);
    throw error;
  }
}

async function addUser(
  ctx: Context,
  run: Import,
  user: TutorialUser,
  person: Person,
): Promise<Outcome> {
  const { source, tried } = run;
  const { row } = user;
  const id = idOf(row['id'], source);
  if (!id) throw new Refused('its id is neither a number of up to 12 digits nor a UUID');
  const names = {
    username: identifierIn(person.username, username),
    email: identifierIn(person.email, parseEmail),
  };
  if (!names.username && !names.email)
    throw new BadName('it has neither a username nor an e-mail address');
  const existing = await ctx.db.User.findByPk(id);
  if (existing) {
    // The user may have changed or added one of the two names since.
    const isSame =
      names.username?.canonical === existing.usernameCanonical ||
      names.email?.canonical === existing.emailCanonical;
    if (!isSame) throw new Refused('another user here has this id');
    return { outcome: 'already here', detail: '' };
  }
  const roles = [...new Set(user.roles.length > 0 ? user.roles : ['user'])].sort();
  const invalid = roles.find((name) => !RoleName.safeParse(name).success);
  if (invalid !== undefined)
    throw new Refused(`its role ${JSON.stringify(invalid)} is no name for a role here`);
  const passwordHash = await hashOf(ctx, run, row['password']);
  const newUser = userRow({
    id,
    ...names,
    passwordHash,
    name: person.name?.trim().slice(0, 100).toWellFormed() || null,
    createdAt: timeIn(row['createdAt']),
  });
  await (tried ? tryUser(ctx, newUser, roles, tried) : createUser(ctx, newUser, roles));
  return { outcome: 'imported', detail: roles.join(',') };
}

type NewUser = ReturnType<typeof userRow>;

const createUser = (
  ctx: Context,
  user: NewUser,
  roles: readonly string[],
  finish = () => ctx.events.emit('user.imported', { userId: user.id }),
) => {
  const { db } = ctx;
  return db.transaction(async () => {
    await db.User.create(user);
    for (const name of roles) {
      const find = () => db.Role.findOne({ where: { name } });
      const role = (await find()) ?? (await createRole(ctx, name), await find());
      await db.UserRole.create({ userId: user.id, roleId: role!.id });
    }
    finish();
  });
};

/** Creates the user and undoes it. Users who were tried before count as existing. */
async function tryUser(
  ctx: Context,
  user: NewUser,
  roles: readonly string[],
  tried: Set<string>,
): Promise<void> {
  const names = [user.usernameCanonical, user.emailCanonical].filter((name) => name !== null);
  if (tried.has(user.id)) throw new Refused('another user here has this id');
  if (names.some((name) => tried.has(name))) throw new UniqueConstraintError({});
  const undone = createUser(ctx, user, roles, () => {
    throw new DryRun();
  });
  await undone.catch((error: unknown) => {
    if (!(error instanceof DryRun)) throw error;
  });
  for (const key of [user.id, ...names]) tried.add(key);
}

const timeIn = (value: unknown): Date | null =>
  value instanceof Date && !Number.isNaN(value.getTime()) ? value : null;

function identifierIn(value: Text, parse: typeof parseEmail): Identifier | null {
  if (!value) return null;
  const found = parse(value);
  if ('code' in found) throw new BadName(found.message);
  return found;
}

/**
 * A bcrypt hash is kept, and renewed when its owner signs in. Hashes of a higher cost than ours may have are refused:
 * they would keep the server busy for days.
 */
async function hashOf(
  { passwords }: Context,
  { source, tried }: Import,
  password: unknown,
): Promise<string> {
  if (typeof password !== 'string' || password === '') throw new Refused('it has no password');
  if (/^\$2[aby]\$/.test(password) && !(await passwords.whyRefused(password))) return password;
  if (!source.plainPasswords)
    throw new Refused('its password is not a bcrypt hash with a cost of 4 to 15');
  return tried ? '' : passwords.hash(password);
}
