import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { IN, OUT, threeTimes, worths } from '#test/support/worth';

const app = await startApp();
const { ctx, ask, register, Session } = app;

const events: unknown[] = [];
ctx.events.onAny((name, event) => name.startsWith('session.ended') && events.push(event));

/** A user who is signed in three times. Earlier events are forgotten. */
async function devices() {
  const found = await threeTimes(app);
  events.length = 0;
  return found;
}

it.each(['/me/sessions', `/me/sessions/${randomUUID()}`, '/me/sessions/nonsense'])(
  'asks strangers who they are: DELETE %s',
  async (path) => {
    expect(await ask('DELETE', path)).toMatchObject({
      status: 401,
      body: { code: 'token_missing' },
    });
  },
);

describe('DELETE /me/sessions/{id}', () => {
  it.each([
    'nonsense',
    '1',
    '%00',
    'null',
    'undefined',
    `${randomUUID()}x`,
    `${randomUUID()}%20`,
    '*',
  ])('refuses %s', async (id) => {
    const { ada, held } = await devices();
    expect(await ada.ask('DELETE', `/me/sessions/${id}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    expect(await Session.count({ where: { userId: ada.id, endedAt: null } })).toBe(held.length);
  });

  it('knows no session that is somebody else’s, has ended or expired, or never was (Z-10)', async () => {
    const { ada, held } = await devices();
    const bob = await devices();
    await ask('POST', '/auth/logout', { token: held[1].accessToken });
    await Session.update({ expiresAt: ctx.clock.date() }, { where: { id: held[2].session.id } });
    events.length = 0;
    const before = await Session.findAll({ order: ['id'], raw: true });
    for (const id of [
      bob.held[0].session.id,
      held[1].session.id,
      held[2].session.id,
      randomUUID(),
      ada.id,
    ])
      expect(await ada.ask('DELETE', `/me/sessions/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'not_found' },
      });
    expect(await Session.findAll({ order: ['id'], raw: true })).toEqual(before);
    expect(events).toEqual([]);
    expect(await worths(ask, bob.held)).toEqual([IN, IN, IN]);
  });

  it('ends that one, and emits an event (V-12)', async () => {
    const { ada, held } = await devices();
    expect(await ada.ask('DELETE', `/me/sessions/${held[1].session.id}`)).toMatchObject({
      status: 204,
      text: '',
    });
    expect(events).toEqual([{ userId: ada.id, sessionId: held[1].session.id, why: 'signed_out' }]);
    expect((await ada.ask('DELETE', `/me/sessions/${held[1].session.id}`)).status).toBe(404);
    expect(events).toHaveLength(1);
    expect(await worths(ask, held)).toEqual([IN, OUT, IN]);
  });

  it('ends the one that asks', async () => {
    const { ada, held } = await devices();
    expect((await ada.ask('DELETE', `/me/sessions/${held[0].session.id}`)).status).toBe(204);
    expect((await ada.ask('DELETE', `/me/sessions/${held[0].session.id}`)).body.code).toBe(
      'session_ended',
    );
    expect(await worths(ask, held)).toEqual([OUT, IN, IN]);
  });

  it('says 204 to one of ten who ask at once', async () => {
    const { ada, held } = await devices();
    const path = `/me/sessions/${held[2].session.id}`;
    const asked = Array.from({ length: 10 }, () => ask('DELETE', path, { token: ada.token }));
    const statuses = (await Promise.all(asked)).map(({ status }) => status);
    expect(statuses.sort((a, b) => a - b)).toEqual([204, ...Array(9).fill(404)]);
    expect(events).toHaveLength(1);
  });
});

describe('DELETE /me/sessions', () => {
  it('ends all others, and emits an event for each', async () => {
    const { ada, held } = await devices();
    const bob = await register();
    expect(await ada.ask('DELETE', '/me/sessions', { token: held[1].accessToken })).toMatchObject({
      status: 204,
      text: '',
    });
    const expected = [held[0], held[2]].map(({ session }) => ({
      userId: ada.id,
      sessionId: session.id,
      why: 'signed_out',
    }));
    expect(events).toHaveLength(2);
    expect(events).toEqual(expect.arrayContaining(expected));
    expect(await worths(ask, [...held, bob.tokens])).toEqual([OUT, IN, OUT, IN]);
    expect((await ask('DELETE', '/me/sessions', { token: held[1].accessToken })).status).toBe(204);
    expect(events).toHaveLength(2);
  });
});
