import jwt from 'jsonwebtoken';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { enter, expectSaid, member, startEach, frontEnds } from '#test/support/compat';

const TTL = 1234;
const env = { DIALECT_ACCESS_TOKEN_TTL: String(TTL) };
const apps = await startEach(env);
afterEach(() => {
  vi.useRealTimers();
});

const every = frontEnds.map((frontEnd) => ({ ...frontEnd, frontEnd }));
/** What is no text. */
const odd = {
  'a list': ['ada'],
  'an object': { $ne: null },
  'a number': 7,
  nothing: null,
  true: true,
  'a list of lists': [['ada']],
};

describe.each(every)(
  '$name',
  ({ name, frontEnd, newcomer, complaint, signUp, signIn, guarded }) => {
    const app = apps[name]!;
    const { say, ask, unusedName, grant, find, User } = app;
    const inside = (headers: Record<string, string>) => say('GET', guarded, { headers });
    const registered = () => member(app, frontEnd, unusedName());

    describe('sign-up', () => {
      it('makes one user of ten who want one name at once, and tells the others', async () => {
        const fields = newcomer(`twin-${name}`);
        const answers = await Promise.all(
          Array.from({ length: 10 }, () => say('POST', signUp, { json: fields })),
        );
        const others = answers.filter(({ status }) => status !== frontEnd.welcome);
        const told = name.startsWith('bezkoder')
          ? { message: 'Failed! Email is already in use!' }
          : 'Fail -> Email is already in use!';
        expect(others).toHaveLength(9);
        for (const { status, body } of others) {
          expect(status).toBe(400);
          expect([frontEnd.taken, ...(frontEnd.takesRoles ? [told] : [])]).toContainEqual(body);
        }
        expect(
          await User.count({
            where: 'email' in fields ? { email: fields['email'] } : { username: `twin-${name}` },
          }),
        ).toBe(1);
      });

      it('answers 400 with a sentence for each field that is missing or no text, and makes nobody', async () => {
        const before = await User.count();
        const labels: Record<string, string> = {
          email: 'e-mail address',
          first_name: 'first name',
          last_name: 'last name',
          firstname: 'first name',
          lastname: 'last name',
        };
        const said = (field: string) => {
          const sentence = new RegExp(`\\S.*${labels[field] ?? field}[^()]*\\.$`, 'i');
          const isText = name.startsWith('grokonez');
          return isText
            ? expect.stringMatching(sentence)
            : complaint(expect.stringMatching(sentence));
        };
        for (const field of Object.keys(newcomer('x'))) {
          for (const [what, value] of Object.entries({ ...odd, missing: undefined, empty: '' })) {
            const { status, body } = await say('POST', signUp, {
              json: { ...newcomer(unusedName()), [field]: value },
            });
            expect({ field, what, status, body }).toEqual({
              field,
              what,
              status: 400,
              body: said(field),
            });
          }
        }
        expect((await say('POST', signUp)).status).toBe(400);
        expect((await say('POST', signUp, { json: [newcomer(unusedName())] })).status).toBe(400);
        expect(await User.count()).toBe(before);
      });

      it('refuses passwords that are easy to guess, with a sentence', async () => {
        for (const weak of ['xq7!', 'password1', 'weak1']) {
          const { status, text } = await say('POST', signUp, {
            json: { ...newcomer(`weak-${name}`), password: weak },
          });
          expect([status, /[A-Z][a-z].*\./.test(text)]).toEqual([400, true]);
        }
        expect((await say('POST', signUp, { json: newcomer(`weak-${name}`) })).status).toBe(
          frontEnd.welcome,
        );
      });
    });

    describe('sign-in', () => {
      const attempt = (who: unknown, secret: unknown) =>
        say('POST', signIn, { json: { [frontEnd.field]: who, password: secret } });

      it('answers an unknown user, a wrong password and a disabled user the same, to the byte', async () => {
        const { fields, where } = await registered();
        const off = await registered();
        await app.auth.users.disable((await find(off.where)).id);
        const answers = [
          await expectSaid(attempt(fields[frontEnd.field], `${password}!`), 401, frontEnd.wrong),
          await attempt(frontEnd.who('nobody'), password),
          await attempt(off.fields[frontEnd.field], password),
          await attempt('%%%', password),
        ];
        const bare = answers.map(({ status, text, headers }) => {
          const { 'x-request-id': _id, date: _date, ...rest } = Object.fromEntries(headers);
          return { status, text, rest };
        });
        for (const answer of bare) expect(answer).toEqual(bare[0]);
        expect(await User.count({ where })).toBe(1);
      });

      it('lets no list, object, number or nothing in', async () => {
        const { fields } = await registered();
        const who = fields[frontEnd.field]!;
        for (const value of Object.values({ ...odd, list: [who], missing: undefined, empty: '' })) {
          for (const answer of [await attempt(value, password), await attempt(who, value)]) {
            expect(answer.status).toBe(400);
            expect(answer.text).not.toMatch(/ey[\w-]+\.|token/);
            expect(answer.headers.getSetCookie()).toEqual([]);
          }
        }
        expect((await attempt(who, [password])).status).toBe(400);
        expect((await say('POST', signIn)).status).toBe(400);
        const twice = `${frontEnd.field}=${who}&${frontEnd.field}=${who}&password=${password}`;
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        expect((await say('POST', signIn, { raw: twice, headers })).status).toBe(400);
      });

      it('hands out a token for DIALECT_ACCESS_TOKEN_TTL, which names nobody and no role', async () => {
        const { token, headers } = await registered();
        const claims = JSON.parse(
          Buffer.from(token.split('.')[1]!, 'base64url').toString(),
        ) as Record<string, number>;
        expect(claims['exp']! - claims['iat']!).toBe(TTL);
        expect(Object.keys(claims).sort()).toEqual([
          'acr',
          'amr',
          'aud',
          'auth_time',
          'exp',
          'gen',
          'iat',
          'iss',
          'jti',
          'sid',
          'sub',
        ]);
        const end = claims['exp']! * 1000;
        vi.useFakeTimers({ toFake: ['Date'] });
        const ahead = app.ctx.clock.now() - Date.now(); // the clock of the database may differ
        const at = (time: number) => vi.setSystemTime(time - ahead);
        at(end - 1);
        expect((await inside(headers)).status).toBe(200);
        at(end);
        expect((await inside(headers)).status).toBe(401);
      });
    });

    describe('a token', () => {
      const refused = (headers: Record<string, string>) =>
        expectSaid(inside(headers), 401, frontEnd.refused);

      it('of a user who was deleted is refused', async () => {
        const { headers, where } = await registered();
        expect((await inside(headers)).status).toBe(200);
        await User.destroy({ where });
        await refused(headers);
      });

      it('of a user who was disabled is refused', async () => {
        const { headers, where } = await registered();
        await app.auth.users.disable((await find(where)).id);
        await refused(headers);
      });

      it('of a session that was ended is refused, by its owner or with all others', async () => {
        const { headers, token, fields } = await registered();
        await ask('DELETE', '/me/sessions', { token });
        expect((await inside(headers)).status).toBe(200);
        const other = await ask('POST', '/auth/login', {
          body: { identifier: fields[frontEnd.field], password },
        });
        await ask('DELETE', '/me/sessions', { token: other.body.accessToken });
        await refused(headers);
      });

      it('of a password that was changed is refused', async () => {
        const { headers, token } = await registered();
        await ask('PUT', '/me/password', {
          token,
          body: { currentPassword: password, newPassword: 'wrong horse battery' },
        });
        await refused(headers);
      });

      it('that is unsigned, or signed with what the tutorial published, is refused', async () => {
        const { where } = await registered();
        const id = (await find(where)).id;
        for (const secret of [
          'bezkoder-secret-key',
          'grokonez-super-secret-key',
          'secret',
          'wowwow',
          'random',
        ])
          await refused(frontEnd.shown(jwt.sign({ id, sub: id }, secret, { expiresIn: 600 })));
        await refused(frontEnd.shown(jwt.sign({ id }, '', { algorithm: 'none' })));
      });
    });

    it('shows the list of users to nobody but administrators', async () => {
      if (name !== 'devckano') {
        const { headers, token } = await registered();
        const bearer = {
          ...headers,
          ...(!headers['authorization'] && { authorization: `Bearer ${token}` }),
        };
        const { status, text } = await fetch(`${app.url}/users`, { headers: bearer }).then(
          async (r) => ({
            status: r.status,
            text: await r.text(),
          }),
        );
        expect([401, 403, 404, 405], text).toContain(status);
        return;
      }
      const { headers, where } = await registered();
      await expectSaid(say('GET', '/users'), 401, 'Unauthorized');
      await expectSaid(
        say('GET', '/users', { headers }),
        403,
        complaint('You are not allowed to do this.'),
      );
      await grant(where, 'admin');
      const { body, text } = await say('GET', '/users', { headers });
      expect(body).toHaveLength(await User.count());
      for (const { passwordHash } of await User.findAll()) expect(text).not.toContain(passwordHash);
    });
  },
);

describe.each(every.filter(({ name }) => name.startsWith('bezkoder')))(
  '$name, to sign out',
  ({ name, frontEnd }) => {
    it('ends the session, so that its token is refused from then on, here and elsewhere', async () => {
      const app = apps[name]!;
      const { headers, token } = await member(app, frontEnd, app.unusedName());
      const again = await enter(
        app,
        frontEnd,
        (await app.ask('GET', '/me', { token })).body.username,
      );
      await app.say('POST', '/api/auth/signout', { headers, json: {} });
      await expectSaid(app.say('GET', frontEnd.guarded, { headers }), 401, frontEnd.refused);
      expect((await app.ask('GET', '/me', { token })).body.code).toBe('session_ended');
      expect((await app.say('GET', frontEnd.guarded, { headers: again.headers })).status).toBe(200);
    });
  },
);
