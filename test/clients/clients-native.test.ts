import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { blocks, type Client, type Options } from '#test/support/clients/examples';
import { mute } from '#test/support/clients/gate';
import { expire, ME, outcome, REFRESH, startHarness } from '#test/support/clients/harness';

const { gate, signedIn, generationOf } = await startHarness();

/** An older Hermes ignores the second argument. */
const HermesError = new Proxy(Error, { construct: (target, [message]) => new target(message) });

/** The client, where nothing is global but what React Native has. */
function createNative(options: Options): Client {
  const globals = {
    fetch,
    AbortController,
    setTimeout,
    clearTimeout,
    Error: HermesError,
    navigator: { product: 'ReactNative' },
  };
  const code = blocks.get('fetch-client.js')!.replace('export function', 'function');
  const create = runInNewContext(`${code}; createClient`, globals) as (made: Options) => Client;
  return create(options);
}

describe('the fetch client in React Native', () => {
  it('refreshes where only React Native’s globals exist', async () => {
    const { client, sessionId } = await signedIn(createNative);
    expire();
    const answers = await Promise.all([client.request('GET', '/me'), client.request('GET', '/me')]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect([gate.count(REFRESH), await generationOf(sessionId)]).toEqual([1, 1]);
    expect((await client.logout()).status).toBe(204);
  });

  it('gives up on an answer that never comes, and on one that stops in the middle', async () => {
    const { client } = await signedIn(createNative, { timeout: 200 });
    gate.next(ME, mute);
    expect((await outcome(client.request('GET', '/me'))).status).toBe(0);
    const never = Promise.withResolvers<void>();
    gate.next(ME, async ({ res, ask }) => {
      const { status, headers, body } = await ask();
      res.writeHead(status, headers).write(body.subarray(0, 10));
      await never.promise;
    });
    expect((await outcome(client.request('GET', '/me'))).status).toBe(0);
    never.resolve();
  });

  it('says why it cannot refresh', async () => {
    const gone = await signedIn(createNative);
    await gone.client.request('DELETE', `/me/sessions/${gone.sessionId}`);
    expect((await outcome(gone.client.request('GET', '/me'))).cause).toMatchObject({
      code: 'invalid_grant',
      sessionStatus: 'ended',
    });
  });
});
