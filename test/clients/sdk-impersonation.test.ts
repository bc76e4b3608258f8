import { expect, it } from 'vitest';
import { REFRESH } from '#test/support/clients/harness';
import { sharedTexts, startSdk } from '#test/support/clients/sdk-harness';
import { acting } from '#test/support/impersonation';

const sdk = await startSdk();
const { clientOn, gate, register } = sdk;
const { administrator, actFor } = acting(sdk);

/** A client of an administrator who acts for a user. There is no refresh token. */
async function actingClient() {
  const user = await register();
  const { body, id } = await actFor(await administrator('admin'), user);
  const shared = sharedTexts();
  shared.texts.set('sallyport', JSON.stringify(body));
  const { client } = clientOn({ storage: shared.tab() });
  expect((await client.request('GET', '/me')).body).toMatchObject({ id: user.id });
  return { client, user, id, texts: shared.texts };
}

it('is signed out when its session has ended, and asks for no new tokens', async () => {
  const { client, user, id, texts } = await actingClient();
  expect((await user.ask('DELETE', `/me/sessions/${id}`)).status).toBe(204);
  expect(await client.request('GET', '/me')).toMatchObject({ status: 401 });
  expect([client.state.status, texts.size, gate.count(REFRESH)]).toEqual(['signed_out', 0, 0]);
});

it('ends its session on the server when it signs out, and no session of the user', async () => {
  const { client, user } = await actingClient();
  expect((await client.signOut()).status).toBe(204);
  const { data } = (await user.ask('GET', '/me/sessions')).body as { data: { id: string }[] };
  expect(data.map(({ id }) => id)).toEqual([user.tokens.session.id]);
});
