import type { startApp } from '#test/support/app';
import type { Answer } from '#test/support/client';
import { addApp } from '#test/support/second-factor';

type App = Awaited<ReturnType<typeof startApp>>;
export type Person = Awaited<ReturnType<App['register']>>;

/** Administrators who act for others, on a server. */
export function acting(app: App) {
  const { auth, ask, ctx, register, Role } = app;

  /** A role with these permissions. */
  async function allow(role: string, permissions: string): Promise<void> {
    await auth.roles.create(role);
    await Role.update({ permissions }, { where: { name: role } });
  }

  /** Somebody with these roles who has just proved two factors. */
  async function administrator(...roles: string[]): Promise<Person> {
    const me = await register({}, ...roles);
    await addApp(ctx, me);
    return me;
  }

  const tryFor = (me: Person, userId: string, reason = 'Ticket 4711'): Promise<Answer> =>
    me.ask('POST', `/admin/users/${userId}/impersonate`, { body: { reason } });

  /** The session of `user` in which `me` acts for them. */
  async function actFor(me: Person, user: { id: string }, reason?: string) {
    const { status, body, text } = await tryFor(me, user.id, reason);
    if (status !== 200) throw new Error(`${status} ${text}`);
    const token = body.accessToken as string;
    return {
      body,
      token,
      id: body.session.id as string,
      ask: (method: string, path: string, question: object = {}) =>
        ask(method, path, { token, ...question }),
    };
  }

  return { allow, administrator, tryFor, actFor };
}
