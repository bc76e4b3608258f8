import { expect, it } from 'vitest';
import { endSessions } from '#src/sessions/end-sessions';
import { startApp } from '#test/support/app';
import { node } from '#test/support/node';
import { formOf } from '#test/support/services';

const app = await startApp({ SESSION_CACHE_TTL: '60' });
const { auth, ask, env, register, Session } = app;
const { service, secret } = await auth.services.create({
  name: 'billing',
  scopes: ['introspect'],
});
const introspect = (token: string) =>
  ask('POST', '/oauth/introspect', formOf({ id: service.id, secret }, { token }));

it('says what the database says, whatever this node has kept: others keep the answer', async () => {
  const ada = await register();
  expect((await ada.ask('GET', '/me')).status).toBe(200);
  expect((await introspect(ada.token)).body.active).toBe(true);
  const there = await node(env);
  await endSessions(there.ctx, { userId: ada.id }, 'signed_out');
  expect((await introspect(ada.token)).body).toEqual({ active: false });
});

it('ends with the session, if that expires before its token', async () => {
  const ada = await register();
  const { body } = await introspect(ada.token);
  const soon = body.iat + 60;
  await Session.update(
    { expiresAt: new Date(soon * 1000) },
    { where: { id: ada.tokens.session.id } },
  );
  expect((await introspect(ada.token)).body).toMatchObject({ active: true, exp: soon });
});
