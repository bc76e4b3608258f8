import type { Command } from 'commander';
import { knownStrategies } from '#src/authentication/passport';
import { isSwitchedOn } from '#src/authentication/strategy-settings';
import { sentence, type Answer } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import { confirm, readPassword } from '#src/cli/prompt';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { confirmUser } from '#src/email/verify-email';
import { resetFactors } from '#src/factors/reset-factors';
import { unlinkIdentity } from '#src/federation/link';
import { setPassword } from '#src/passwords/set-password';
import { invalidFields } from '#src/platform/http/parse';
import { providerOf } from '#src/strategy-kit/contract';
import { Password } from '#src/users/schemas';

/** Changes of how a user signs in. */
export function addUserChangeCommands(user: Command, run: OnDatabase): void {
  user
    .command('password')
    .description('Set a password, asked for or read from standard input; ends sessions and keys')
    .argument('<user>')
    .action(run(changePassword));
  user
    .command('verify')
    .description('Take the address of a user for theirs')
    .argument('<user>')
    .action(run(verify));
  user
    .command('unlink')
    .description('Unlink a provider from a user')
    .argument('<user>')
    .argument('<provider>', 'its name, or the id of the identity')
    .action(run(unlink));
  user
    .command('reset-mfa')
    .description('Remove all second factors of a user who has lost them')
    .argument('<user>')
    .option('--yes', 'do not ask')
    .action(run(resetMfa));
}

async function resetMfa(ctx: Context, typed: string, { yes = false }: { yes?: boolean }) {
  const user = await userNamed(ctx, typed);
  await confirm('Removing their second factors', labelOf(user), yes);
  const removed = await resetFactors(ctx, user.id);
  const text =
    removed === 0
      ? `${labelOf(user)} has no second factor.`
      : `${labelOf(user)} has no second factor any more.`;
  return sentence(text, { userId: user.id, removed });
}

async function changePassword(ctx: Context, typed: string): Promise<Answer> {
  const user = await userNamed(ctx, typed);
  const { data, error } = Password.safeParse(await readPassword());
  if (error) throw invalidFields(error);
  await setPassword(ctx, user.id, data);
  return sentence(
    `${labelOf(user)} has a new password. Every session and API key of theirs has ended.`,
    { userId: user.id, passwordChanged: true },
  );
}

async function verify(ctx: Context, typed: string): Promise<Answer> {
  const user = await userNamed(ctx, typed);
  const { id, email, emailCanonical } = user;
  if (emailCanonical === null) throw new Error(`${labelOf(user)} has no e-mail address.`);
  const verified = await confirmUser(ctx, id, emailCanonical);
  if (!verified && user.disabledAt)
    throw new Error(`${labelOf(user)} is disabled: enable them first.`);
  const text = verified ? `${email} is verified.` : `${email} is verified already.`;
  return sentence(text, { userId: id, email, changed: verified });
}

async function unlink(ctx: Context, typed: string, named: string): Promise<Answer> {
  const { db, settings } = ctx;
  const user = await userNamed(ctx, typed);
  const all = await db.Identity.findAll({ where: { userId: user.id }, order: ['id'] });
  const [identity, ...more] = all.filter(
    ({ id, provider }) => id === named.toLowerCase() || provider === named,
  );
  if (!identity) throw new Error(`${labelOf(user)} is not linked to ${named}.`);
  if (more.length > 0)
    throw new Error(`${labelOf(user)} is linked to ${named} more than once: give the id.`);
  const { strategies } = await knownStrategies(settings);
  const on = strategies.filter((each) => isSwitchedOn(each, settings.strategyValues));
  await unlinkIdentity(ctx, user.id, identity.id, on.map(providerOf));
  return sentence(`${labelOf(user)} is no longer linked to ${identity.provider}.`, {
    userId: user.id,
    provider: identity.provider,
    identityId: identity.id,
  });
}
