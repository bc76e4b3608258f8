import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';

const { ctx, auth, ask, register, routes, logIn, Session, User } = await startApp({
  API_KEYS: 'on',
});
const HOUR = 3_600_000;

/** A user whose session began so many milliseconds ago. */
async function since(ms: number) {
  const me = await register();
  await Session.update(
    { createdAt: ctx.clock.date(-ms) },
    { where: { userId: me.id }, silent: true },
  );
  return me;
}
const makeKey = (me: Awaited<ReturnType<typeof register>>) =>
  me.ask('POST', '/me/api-keys', { body: { name: 'a robot' } });
const reauthenticate = (me: Awaited<ReturnType<typeof register>>, secret: string) =>
  me.ask('POST', '/auth/reauthenticate', { body: { password: secret } });

describe('requireFresh', () => {
  it('lets in who signed in within the time, and nobody after', async () => {
    expect((await makeKey(await since(HOUR - 5000))).status).toBe(201);
    expect((await makeKey(await since(HOUR + 1000))).body).toMatchObject({
      status: 403,
      code: 'step_up_required',
      action: 'step_up',
      maxAge: 3600,
    });
  });

  it('lets in who proved anew who they are; refreshing does not', async () => {
    const me = await since(2 * HOUR);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: me.tokens.refreshToken },
    });
    expect(
      (await ask('POST', '/me/api-keys', { token: body.accessToken, body: { name: 'a robot' } }))
        .status,
    ).toBe(403);
    expect((await reauthenticate(me, 'not the password')).body).toMatchObject({
      status: 401,
      code: 'invalid_credentials',
    });
    expect((await makeKey(me)).status).toBe(403);
    expect((await reauthenticate(me, password)).status).toBe(204);
    expect((await makeKey(me)).status).toBe(201);
  });

  it('is for the session that proved it, not for the others', async () => {
    const me = await register();
    const other = (await logIn(me.username)).body.accessToken as string;
    await Session.update(
      { createdAt: ctx.clock.date(-2 * HOUR) },
      { where: { userId: me.id }, silent: true },
    );
    await reauthenticate(me, password);
    expect(
      (await ask('POST', '/me/api-keys', { token: other, body: { name: 'a robot' } })).status,
    ).toBe(403);
  });

  it('stands before every route that says so, and behind the one that says who you are', async () => {
    const guarded = routes.filter(({ guards }) =>
      guards.some(({ doc }) => doc.note?.startsWith('Needs a sign-in in the last')),
    );
    expect(guarded.map(({ method, path }) => `${method} ${path}`).sort()).toEqual([
      'delete /admin/invitations/:id',
      'delete /admin/roles/:role',
      'delete /admin/users/:id',
      'delete /admin/users/:id/factors',
      'delete /admin/users/:id/lock',
      'delete /admin/users/:id/roles/:role',
      'delete /admin/users/:id/sessions',
      'delete /admin/users/:id/sessions/:sessionId',
      'delete /me/factors/:id',
      'delete /me/identities/:id',
      'get /me/export',
      'patch /admin/services/:id',
      'patch /admin/users/:id',
      'patch /admin/webhooks/:id',
      'patch /me/factors/:id',
      'post /admin/invitations/:id/resend',
      'post /admin/keys/rotate',
      'post /admin/services',
      'post /admin/services/:id/secret',
      'post /admin/users',
      'post /admin/users/:id/password-reset',
      'post /admin/webhooks',
      'post /admin/webhooks/:id/secret',
      'post /me/api-keys',
      'post /me/factors/passkeys',
      'post /me/factors/passkeys/options',
      'post /me/factors/recovery-codes',
      'post /me/factors/totp',
      'post /me/factors/totp/:id/confirm',
      'put /admin/roles/:role',
      'put /admin/users/:id/roles/:role',
    ]);
    const me = await since(2 * HOUR);
    await auth.roles.grant(me.username, 'admin');
    for (const { method, path } of guarded)
      expect(
        (
          await me.ask(method.toUpperCase(), path.replace(/:\w+/g, me.id), {
            ...(method !== 'get' && { body: {} }),
          })
        ).body.code,
      ).toBe('step_up_required');
  });

  it.each([
    ['DELETE', '/me', { confirm: 'delete' }],
    ['POST', '/me/email', { email: 'other@example.com' }],
  ])('says in a header what it wants (RFC 9470): %s %s', async (method, path, body) => {
    const me = await since(2 * HOUR);
    await User.update({ passwordHash: null }, { where: { id: me.id } });
    const refused = await me.ask(method, path, { body });
    expect(refused.body).toMatchObject({ code: 'step_up_required', maxAge: 300 });
    expect(refused.headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age="300"',
    );
  });

  it('asks a stranger who they are first', async () => {
    expect((await ask('POST', '/auth/reauthenticate', { body: { password } })).status).toBe(401);
    for (const body of [{}, { password: '' }, { password: 1 }, { password, surplus: 1 }])
      expect((await (await register()).ask('POST', '/auth/reauthenticate', { body })).status).toBe(
        400,
      );
  });
});
