import { describe, expect, it } from 'vitest';
import { createRole } from '#src/access/roles';
import { enter, expectSaid, member, startAdapters, frontEnds } from '#test/support/compat';

const react = frontEnds.find(({ name }) => name === 'grokonez-react')!;
const app = await startAdapters('grokonez-react');
const { say, grant, unusedName, User } = app;

const signUp = (json: unknown) => say('POST', '/api/auth/signup', { json });
const jack = (more: object = {}) => ({
  ...react.newcomer(unusedName()),
  firstname: 'Jack',
  lastname: 'Smith',
  roles: ['user'],
  ...more,
});

describe('POST /api/auth/signup', () => {
  it('says who is registered, and joins the two names', async () => {
    const fields = jack();
    await expectSaid(signUp(fields), 200, 'User Jack is registered successfully!');
    const { username } = fields as unknown as { username: string };
    expect((await User.findOne({ where: { username } }))!.name).toBe('Jack Smith');
  });

  it('sends a name back as text, never as HTML', async () => {
    for (const [firstname, said] of [
      ['<img src=x onerror=alert(1)>', '?img src=x onerror=alert(1)?'],
      ['Tom & Jerry', 'Tom ? Jerry'],
      ["Zoë O'Hara", "Zoë O'Hara"],
    ])
      await expectSaid(
        signUp(jack({ firstname })),
        200,
        `User ${said} is registered successfully!`,
      );
  });

  it.each([
    ['a username that is taken', { username: 'ADA' }, 'Fail -> Username is already taken!'],
    ['a taken address', { email: 'ADA@example.com' }, 'Fail -> Email is already in use!'],
    ['no such role', { roles: ['root'] }, 'Fail -> Does NOT exist Role = root'],
  ])('refuses %s', async (_what, more, text) => {
    await signUp(jack({ username: 'ada', email: 'ada@example.com' }));
    const before = await User.count();
    await expectSaid(signUp(jack(more)), 400, text);
    expect(await User.count()).toBe(before);
  });
});

describe('POST /api/auth/signin', () => {
  it('answers the user with numbered roles', async () => {
    const { signedIn, fields, where } = await member(app, react, unusedName());
    const { id } = (await User.findOne({ where }))!;
    const { username, email } = fields;
    expect(signedIn.body).toEqual({
      auth: true,
      user: { id, username, email, roles: [{ id: 1, name: 'USER' }] },
      accessToken: expect.stringMatching(/^ey/),
    });
    await createRole(app.ctx, 'press');
    for (const role of ['admin', 'pm', 'press']) await grant(where, role);
    const { roles } = (await enter(app, react, username!)).signedIn.body.user;
    expect(roles).toEqual([
      { id: 2, name: 'ADMIN' },
      { id: 3, name: 'PM' },
      { id: 4, name: 'PRESS' },
      { id: 1, name: 'USER' },
    ]);
  });
});

describe('the boards', () => {
  const board = (name: string, headers: Record<string, string> = {}) =>
    say('GET', `/api/test/${name}`, { headers });

  it('are text, for members, project managers and administrators', async () => {
    const texts = {
      user: '>>> User Contents!',
      pm: '>>> PM Contents!',
      admin: '>>> Admin Contents!',
    };
    const no = { pm: 'Require PM or Admin Roles!', admin: 'Require Admin Role!' };
    for (const [role, sees] of [
      [undefined, ['user']],
      ['pm', ['user', 'pm']],
      ['admin', ['user', 'pm', 'admin']],
    ] as const) {
      const { headers, where } = await member(app, react, unusedName());
      if (role) await grant(where, role);
      for (const name of ['user', 'pm', 'admin'] as const)
        if ((sees as readonly string[]).includes(name))
          await expectSaid(board(name, headers), 200, texts[name]);
        else await expectSaid(board(name, headers), 403, no[name as 'pm' | 'admin']);
    }
  });

  it('refuse strangers as the tutorial did', async () => {
    await expectSaid(board('user'), 403, { auth: false, message: 'No token provided.' });
    await expectSaid(board('user', { 'x-access-token': 'x' }), 401, {
      auth: false,
      message: 'Fail to Authentication.',
    });
  });
});
