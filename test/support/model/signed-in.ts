import * as fc from 'fast-check';
import { expect } from 'vitest';
import { expectTokens, expectVerdict, shown } from '#test/support/model/check';
import { note } from '#test/support/model/census';
import { PASSWORDS } from '#test/support/model/sign-in';
import {
  accessAt,
  accessLabel,
  accessText,
  back,
  command,
  sessionAt,
  someAccess,
  type SomeAccess,
} from '#test/support/model/pick';
import type { Answer } from '#test/support/client';
import type { Real } from '#test/support/model/node';
import { refused, type ModelSession, type World } from '#test/support/model/world';

type Request = [method: string, path: string, body?: object];
interface LetIn {
  world: World;
  /** The session that asks. */
  own: ModelSession;
  answer: Answer;
}

/**
 * A guarded request. Refusals of the guard are expected here. `then` checks the answer if it
 * lets in.
 */
const guarded = (
  what: string,
  which: SomeAccess,
  ask: Request | ((world: World) => Request),
  then: (letIn: LetIn) => void,
) =>
  command(`${what} with ${accessLabel(which)}`, async (world: World, { node }: Real) => {
    const token = accessAt(world, which);
    const [method, path, body] = typeof ask === 'function' ? ask(world) : ask;
    const answer = await node.ask(method, path, { token: accessText(world, token), body });
    const verdict = world.admit(token);
    if (!token || verdict.status !== 200) return expectVerdict(answer, verdict);
    then({ world, own: token.session, answer });
  });

export const use = someAccess.map((which) =>
  guarded('GET /me', which, ['GET', '/me'], ({ own, answer }) => {
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject(shown(own.user));
  }),
);

export const listUsers = someAccess.map((which) =>
  guarded('GET /admin/users', which, ['GET', '/admin/users?limit=1'], ({ own, answer }) => {
    const may = own.user.roles.has('admin');
    note(may ? 'admin: let in' : 'admin: forbidden');
    expectVerdict(answer, may ? { status: 200 } : refused(403, 'forbidden'));
  }),
);

export const list = someAccess.map((which) =>
  guarded('GET /me/sessions', which, ['GET', '/me/sessions'], ({ world, own, answer }) => {
    const live = world.sessionsOf(own.user).filter(world.isLive).reverse();
    note('list: some');
    const { data, nextCursor } = answer.body as { data: ModelSession[]; nextCursor: unknown };
    expect(data).toMatchObject(
      live.map((session) => ({
        id: session.id,
        current: session === own,
        device: { kind: session.kind },
      })),
    );
    expect([data.length, nextCursor]).toEqual([live.length, null]);
  }),
);

export const endOthers = someAccess.map((which) =>
  guarded('DELETE /me/sessions', which, ['DELETE', '/me/sessions'], ({ world, own, answer }) => {
    expectVerdict(answer, { status: 204 });
    note('end others: done');
    world.end(
      world.sessionsOf(own.user).filter((session) => session !== own),
      'signed_out',
    );
  }),
);

const NO_SESSION = '00000000-0000-7000-8000-000000000000';

export const endOne = fc
  .record({
    which: someAccess,
    target: back,
    whose: fc.constantFrom('', ' of their own', ' of their own that has ended'),
  })
  .map(({ which, target, whose }) => {
    const chosen = (world: World) => {
      const user = accessAt(world, which)?.session.user;
      const all = user && whose ? world.sessionsOf(user) : world.sessions;
      return sessionAt(whose.endsWith('ended') ? all.filter(({ ended }) => ended) : all, target);
    };
    const path = (world: World): Request => [
      'DELETE',
      `/me/sessions/${chosen(world)?.id ?? NO_SESSION}`,
    ];
    return guarded(
      `DELETE /me/sessions/-${target}${whose}`,
      which,
      path,
      ({ world, own, answer }) => {
        const session = chosen(world);
        if (!session) return expectVerdict(answer, refused(404, 'not_found'));
        if (session.user !== own.user) note('end one: not found, of another user');
        else if (!world.isLive(session)) note('end one: not found, ended or expired');
        else note(session === own ? 'end one: own' : 'end one: done');
        if (session.user !== own.user || !world.isLive(session))
          return expectVerdict(answer, refused(404, 'not_found'));
        expectVerdict(answer, { status: 204 });
        world.end([session], 'signed_out');
      },
    );
  });

const anyPassword = fc.nat(PASSWORDS.length - 1).map((i) => PASSWORDS[i]!);
const mostly = fc.nat(2).map((n) => n > 0);

export const changePassword = fc
  .record({ which: someAccess, right: mostly, wanted: anyPassword })
  .map(({ which, right, wanted }) => {
    const current = (world: World) =>
      (right && accessAt(world, which)?.session.user.password) || 'not the password of anybody';
    const request = (world: World): Request => [
      'PUT',
      '/me/password',
      { currentPassword: current(world), newPassword: wanted },
    ];
    return guarded(
      `change password (${right ? wanted : 'wrong'})`,
      which,
      request,
      ({ world, own, answer }) => {
        const { user, kind } = own;
        note(
          `change password: ${!right ? 'wrong' : user.password === wanted ? 'unchanged' : 'done'}`,
        );
        if (!right) return expectVerdict(answer, refused(401, 'invalid_credentials'));
        if (user.password === wanted) return expectVerdict(answer, refused(422, 'weak_password'));
        expectVerdict(answer, { status: 200 });
        user.password = wanted;
        world.end(world.sessionsOf(user), 'password_changed');
        expectTokens(world, world.start(user, kind), answer);
      },
    );
  });

export const deleteUser = fc
  .record({ which: someAccess, right: mostly })
  .map(({ which, right }) => {
    const password = (world: World) =>
      (right && accessAt(world, which)?.session.user.password) || 'not the password of anybody';
    return guarded(
      `DELETE /me (${right ? 'right' : 'wrong'} password)`,
      which,
      (world) => ['DELETE', '/me', { password: password(world) }],
      (letIn) => {
        note(right ? 'delete: done' : 'delete: wrong password');
        if (!right) return expectVerdict(letIn.answer, refused(401, 'invalid_credentials'));
        expectVerdict(letIn.answer, { status: 204 });
        letIn.own.user.gone = true;
      },
    );
  });
