import { InvalidArgumentError, type Command } from 'commander';
import type { ZodType } from 'zod';
import { adminUser } from '#src/admin/admin-user';
import { editUser, type UserEdits } from '#src/admin/edit-user';
import { sendPasswordReset, unlockUser } from '#src/admin/govern-user';
import { sentence, type Answer } from '#src/cli/answer';
import { withLimits, type OnDatabase } from '#src/cli/command';
import { confirm } from '#src/cli/prompt';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { Email, Name, Username } from '#src/users/schemas';

/** What administrators do by `/admin/users/{id}`. */
export function addUserGovernCommands(user: Command, run: OnDatabase): void {
  user
    .command('set')
    .description('Change names or the address of a user; a new address is mailed to be confirmed')
    .argument('<user>')
    .option('--name <name>', 'an empty one removes it', readOrEmpty(Name))
    .option(
      '--username <username>',
      'an empty one removes it, if there is an address',
      readOrEmpty(Username),
    )
    .option(
      '--email <address>',
      'an empty one removes it, if there is a username',
      readOrEmpty(Email),
    )
    .action(run(set));
  user
    .command('unlock')
    .description('Forget the failed sign-ins of a user, and let them in')
    .argument('<user>')
    .action(run(unlock));
  user
    .command('reset-password')
    .description('Mail a user the link that sets a new password')
    .argument('<user>')
    .option('--end-sessions', 'end every session of theirs at once')
    .option('--yes', 'do not ask')
    .action(run(resetPassword));
}

/** Reads an option as the HTTP API reads a field. */
const read =
  <T>(schema: ZodType<T>) =>
  (typed: string): T => {
    const { data, error } = schema.safeParse(typed);
    if (error) throw new InvalidArgumentError(`${error.issues[0]!.message}.`);
    return data;
  };

/** The same for an option that may be empty. Commander makes an empty text of null. */
const readOrEmpty =
  <T>(schema: ZodType<T>) =>
  (typed: string): T | '' =>
    typed === '' ? typed : read(schema)(typed);
type Typed<T> = { [K in keyof T]: T[K] | '' };

async function set(
  ctx: Context,
  typed: string,
  given: Typed<Omit<UserEdits, 'disabled'>>,
): Promise<Answer> {
  const found = await userNamed(ctx, typed);
  const edits: UserEdits = Object.fromEntries(
    Object.entries(given).map(([field, value]) => [field, value === '' ? null : value]),
  );
  if (Object.keys(edits).length === 0) throw new Error('Give --name, --username or --email.');
  const user = await editUser(ctx, found.id, edits);
  const mailed = edits.email ? ` A mail asks ${user.email} to confirm the address.` : '';
  return sentence(`${labelOf(user)} is changed.${mailed}`, adminUser(user));
}

async function unlock(ctx: Context, typed: string): Promise<Answer> {
  const user = await userNamed(ctx, typed);
  await withLimits(ctx, () => unlockUser(ctx, user.id));
  return sentence(`${labelOf(user)} is let in again.`, { userId: user.id, unlocked: true });
}

interface ResetOptions {
  endSessions?: boolean;
  yes?: boolean;
}

async function resetPassword(
  ctx: Context,
  typed: string,
  { endSessions: signOut = false, yes = false }: ResetOptions,
): Promise<Answer> {
  const user = await userNamed(ctx, typed);
  if (user.email === null) throw new Error(`${labelOf(user)} has no e-mail address.`);
  if (user.disabledAt) throw new Error(`${labelOf(user)} is disabled: enable them first.`);
  if (signOut) await confirm('Ending their sessions', labelOf(user), yes);
  await sendPasswordReset(ctx, user.id, { signOut });
  return sentence(`A mail with a link is on its way to ${user.email}.`, {
    userId: user.id,
    email: user.email,
    endedSessions: signOut,
  });
}
