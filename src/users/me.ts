import { transaction, User } from '#models/index';
import { isFresh } from '#models/session';
import { keepAnAdmin } from '#src/access/last-admin';
import { emit } from '#src/core/events';
import { passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import type { Identifier } from '#src/users/identifiers';
import { FRESH } from '#src/sessions/lifetimes';
import { stillSignedIn } from '#src/sessions/still-signed-in';
import { forgetSignUps } from '#src/users/sign-up';
import { refuseTaken } from '#src/users/taken';

interface Changes {
  username?: Identifier | undefined;
  name?: string | null | undefined;
}

/** The user with these changes, loaded with roles. Throws `username_taken`, `session_ended`. */
export async function updateUser(user: User, { username, name }: Changes): Promise<User> {
  const values = {
    ...(name !== undefined && { name }),
    ...(username && { username: username.display, usernameCanonical: username.canonical }),
  };
  await refuseTaken(() => transaction(async () => (await stillSignedIn(user)).update(values)));
  emit('user.updated', { userId: user.id });
  const changed = await User.findByPk(user.id, { include: ['roles'] });
  if (!changed) throw new Problem('session_ended');
  return changed;
}

/**
 * Ends the user for good, with everything that is theirs. Facts keep the id, which is nobody's any more. Needs the password, or a
 * sign-in that is not long ago. Throws `invalid_credentials`, `step_up_required`, `last_admin`, `busy`.
 */
export async function deleteUser(user: User, password: string | undefined): Promise<void> {
  if (password === undefined && !isFresh(user.session, FRESH)) throw new Problem('step_up_required');
  const compared = (await User.findByPk(user.id, { attributes: ['passwordHash'] }))?.passwordHash;
  if (password !== undefined && !(await passwordMatches(password, compared))) throw new Problem('invalid_credentials');
  const done = await keepAnAdmin(async () => {
    const now = await stillSignedIn(user);
    if (password !== undefined && now.passwordHash !== compared) return false;
    await now.destroy();
    if (now.emailCanonical) await forgetSignUps(now.emailCanonical);
    emit('user.deleted', { userId: user.id });
    return true;
  });
  // The hash is another one by now: changed, or only renewed by a sign-in. Look again.
  if (!done) await deleteUser(user, password);
}
