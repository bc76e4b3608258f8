import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { engine } from '#test/support/database';
import { enter, expectSaid, member, startEach, frontEnds } from '#test/support/compat';
import { lockFile } from '#test/support/elsewhere';

const apps = await startEach();
const most = apps['bezkoder']!;

describe.each(frontEnds.map((frontEnd) => ({ ...frontEnd, frontEnd })))(
  '$name',
  ({ name, frontEnd, complaint, newcomer, signUp, signIn, guarded }) => {
    const app = apps[name]!;
    const { say, ask, unusedName, User } = app;
    const credentials = (who: string) => ({ [frontEnd.field]: frontEnd.who(who), password });

    it.each([signUp, signIn])(
      'refuses at %s what is no JSON, no form or too large, in its own words',
      async (path) => {
        const post = (raw: string, type: string) =>
          say('POST', path, { raw, headers: type ? { 'content-type': type } : {} });
        const shape = complaint('The request does not match the documented shape.');
        const media = complaint('The request body must be JSON.');
        await expectSaid(post('{"password":', 'application/json'), 400, shape);
        await expectSaid(post('x', 'text/plain'), 415, media);
        await expectSaid(post('{}', 'application/json; charset=latin1'), 415, media);
        await expectSaid(post('<a/>', 'application/xml'), 415, media);
        await expectSaid(post('x', 'multipart/form-data; boundary=x'), 415, media);
        await expectSaid(
          post(`{"password":"${'x'.repeat(17_000)}"}`, 'application/json'),
          413,
          complaint('The request body is too large.'),
        );
        await expectSaid(
          post(`password=${'x'.repeat(17_000)}`, 'application/x-www-form-urlencoded'),
          413,
          complaint('The request body is too large.'),
        );
        await expectSaid(
          post('a=b&'.repeat(51), 'application/x-www-form-urlencoded'),
          413,
          complaint('The request body is too large.'),
        );
      },
    );

    it('says which methods a path knows', async () => {
      const sentence = 'This path does not know that method.';
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        for (const path of [signUp, signIn]) {
          const { headers } = await expectSaid(
            say(method, path),
            405,
            path === '/users' ? expect.anything() : complaint(sentence),
          );
          expect(headers.get('allow')).toBe(path === '/users' ? 'GET, HEAD, POST' : 'POST');
        }
        const inWords = name === 'zohaib' ? { msg: sentence } : complaint(sentence);
        expect((await expectSaid(say(method, guarded), 405, inWords)).headers.get('allow')).toBe(
          'GET, HEAD',
        );
      }
    });

    it('takes forms, and leaves alone what it does not know', async () => {
      const who = unusedName();
      const more = { terms: 'yes', confirmPassword: password, device: 'x', __v: '0' };
      const form = { ...newcomer(who), ...more };
      expect((await say('POST', `${signUp}?lang=en&x[]=1`, { form })).status).toBe(
        frontEnd.welcome,
      );
      const signedIn = await say('POST', `${signIn}?_=1`, {
        form: { ...credentials(who), ...more },
      });
      expect(signedIn.status).toBe(200);
      const headers = frontEnd.shown(frontEnd.held(signedIn));
      expect((await say('GET', `${guarded}?_=1&limit=x&limit=y`, { headers })).status).toBe(200);
      expect(
        (
          await say('POST', signIn, {
            json: { ...credentials(who), remember: true, device: { kind: 'x' } },
          })
        ).status,
      ).toBe(200);
      expect(
        (
          await say('POST', signUp, {
            json: { ...newcomer(unusedName()), disabledAt: null, id: 1, roleIds: [1] },
          })
        ).status,
      ).toBe(frontEnd.welcome);
    });

    it('gives nobody what a surplus field asks for', async () => {
      const who = unusedName();
      const surplus = {
        id: 'x',
        isAdmin: true,
        emailVerifiedAt: '2020-01-01',
        roleNames: ['admin'],
        role: 'admin',
        passwordHash: 'x',
      };
      await say('POST', signUp, {
        json: { ...newcomer(who), ...surplus, ['__proto__']: { admin: true } },
      });
      const { where } = await enter(app, frontEnd, who);
      const user = (await User.findOne({ where, include: ['roles'] }))!;
      expect([user.roleNames, user.emailVerifiedAt]).toEqual([['user'], null]);
    });

    it('takes tokens of our own API, and ours takes its', async () => {
      const { token, fields, where } = await member(app, frontEnd, unusedName());
      const mine = await ask('GET', '/me', { token });
      expect(mine.body).toMatchObject(where);
      const { body } = await ask('POST', '/auth/login', {
        body: { identifier: fields[frontEnd.field], password },
      });
      expect(
        (await say('GET', guarded, { headers: frontEnd.shown(body.accessToken) })).status,
      ).toBe(200);
      await ask('POST', '/auth/logout', { token });
      await expectSaid(
        say('GET', guarded, { headers: frontEnd.shown(token) }),
        401,
        frontEnd.refused,
      );
      expect(
        (await say('GET', guarded, { headers: frontEnd.shown(body.accessToken) })).status,
      ).toBe(200);
    });
  },
);

it('says in a clean sentence that a body is no object', async () => {
  await expectSaid(most.say('POST', '/login', { json: [] }), 400, {
    msg: expect.stringMatching(/^[^()]+\.$/),
  });
});

it('answers the one path of two adapters in the words of who is asked', async () => {
  const { say } = most;
  await expectSaid(say('GET', '/users'), 401, 'Unauthorized');
  await expectSaid(say('POST', '/users', { json: {} }), 400, {
    error: expect.stringContaining('Please fill in your e-mail address.'),
  });
});

describe.skipIf(engine === 'mysql')('a database that another process has locked', () => {
  const locks: DatabaseSync[] = [];
  afterAll(() => locks.forEach((lock) => lock.isOpen && lock.close()));

  it('makes every adapter say so, and when to ask again; and then all is as before', async () => {
    const people = await Promise.all(
      frontEnds.map((frontEnd) => member(apps[frontEnd.name]!, frontEnd, `late-${frontEnd.name}`)),
    );
    for (const { databaseUrl } of new Set(Object.values(apps))) {
      const lock = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
      locks.push(lock);
      await lockFile(lock);
    }
    const sentence = 'The server cannot answer right now. Please try again in a moment.';
    const asked = frontEnds.flatMap((frontEnd) => {
      const { say } = apps[frontEnd.name]!;
      const json = { [frontEnd.field]: frontEnd.who(`late-${frontEnd.name}`), password };
      return [
        expectSaid(say('POST', frontEnd.signIn, { json }), 503, frontEnd.complaint(sentence)),
        expectSaid(
          say('POST', frontEnd.signUp, { json: frontEnd.newcomer(`never-${frontEnd.name}`) }),
          503,
          frontEnd.complaint(sentence),
        ),
      ];
    });
    const { refreshToken } = people[0]!.signedIn.body;
    const refresh = () => most.say('POST', '/api/auth/refreshtoken', { json: { refreshToken } });
    asked.push(expectSaid(refresh(), 503, { message: sentence }));
    for (const { headers } of await Promise.all(asked))
      expect(headers.get('retry-after')).toBe('2');
    for (const lock of locks) lock.close();
    expect((await refresh()).body.refreshToken).toBe(refreshToken);
    for (const [i, frontEnd] of frontEnds.entries()) {
      expect(
        (await apps[frontEnd.name]!.say('GET', frontEnd.guarded, { headers: people[i]!.headers }))
          .status,
      ).toBe(200);
      await member(apps[frontEnd.name]!, frontEnd, `never-${frontEnd.name}`);
    }
  });
});
