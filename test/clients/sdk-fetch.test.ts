import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { refused } from '#test/support/clients/gate';
import { expire, REFRESH } from '#test/support/clients/harness';
import { sharedTexts, startSdk } from '#test/support/clients/sdk-harness';

const { ask, gate, signedInOn } = await startSdk();

/** An API of the app, which asks the server who is there. */
const seen: { authorization: string | undefined; text: string; at: string }[] = [];
let refusal: object | undefined;
const api = createServer(async (req, res) => {
  let text = '';
  for await (const chunk of req) text += String(chunk);
  const { authorization } = req.headers;
  seen.push({ authorization, text, at: `${req.method} ${req.url}` });
  const me = await ask('GET', '/me', { headers: authorization ? { authorization } : {} });
  const isOff = refusal !== undefined;
  res.writeHead(isOff ? 401 : me.status === 200 ? 200 : 401, {
    'content-type': 'application/json',
  });
  res.end(JSON.stringify(isOff ? refusal : { username: me.body.username }));
});
await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
const origin = `http://127.0.0.1:${(api.address() as AddressInfo).port}`;
afterAll(() => api.close());
beforeEach(() => {
  seen.length = 0;
  refusal = undefined;
});
const member = () => signedInOn({ apis: [origin] });

describe('client.fetch', () => {
  it('sends the token, and repeats a request once with a new one', async () => {
    const { client, user } = await member();
    for (const body of ['{"a":1}', new Blob(['{"a":1}']), new TextEncoder().encode('{"a":1}')]) {
      seen.length = 0;
      expire();
      gate.forget();
      const answer = await client.fetch(`${origin}/notes`, { method: 'POST', body });
      expect(await answer.json()).toEqual({ username: user.username });
      expect(seen.map(({ text }) => text)).toEqual(['{"a":1}', '{"a":1}']);
      expect(new Set(seen.map(({ authorization }) => authorization)).size).toBe(2);
      expect(gate.count(REFRESH)).toBe(1);
    }
    const request = new Request(`${origin}/notes`, { headers: { 'x-own': '1' } });
    expire();
    expect((await client.fetch(request)).status).toBe(200);
  });

  it('sends no stream a second time, and has new tokens for the next request', async () => {
    const { client } = await member();
    const stream = () => new Blob(['once']).stream();
    const streamed = { method: 'POST', body: stream(), duplex: 'half' } as RequestInit;
    for (const ask of [
      () => client.fetch(`${origin}/notes`, streamed),
      () => client.fetch(new Request(`${origin}/notes`, { method: 'POST', body: 'once' })),
    ]) {
      seen.length = 0;
      expire();
      expect((await ask()).status).toBe(401);
      expect(seen.map(({ text }) => text)).toEqual(['once']);
      expect((await client.fetch(`${origin}/notes`)).status).toBe(200);
      expect(seen).toHaveLength(2);
    }
  });

  it('does not refresh for a refusal of another kind', async () => {
    const { client } = await member();
    refusal = { code: 'invalid_credentials', action: 'fix_request' };
    expect((await client.fetch(origin)).status).toBe(401);
    expect([seen.length, gate.count(REFRESH)]).toEqual([1, 0]);
  });

  it('gives up after one more attempt', async () => {
    const { client } = await member();
    refusal = {};
    expect((await client.fetch(origin)).status).toBe(401);
    expect([seen.length, gate.count(REFRESH)]).toEqual([2, 1]);
    expect(client.state.status).toBe('signed_in');
  });

  it('rejects as without a network when nobody can refresh, and answers 401 when it is over', async () => {
    const { client, tokens } = await member();
    expire();
    gate.all(REFRESH, refused);
    await expect(client.fetch(origin)).rejects.toMatchObject({ problem: { action: 'wait' } });
    gate.forget();
    await ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken } });
    expect((await client.fetch(origin)).status).toBe(401);
    expect(client.state.status).toBe('signed_out');
    expect((await client.fetch(origin)).status).toBe(401);
    expect(seen.at(-1)!.authorization).toBeUndefined();
  });

  it('does not repeat for one user what another had asked', async () => {
    const shared = sharedTexts();
    const { tokens } = await signedInOn();
    const { client } = await signedInOn({
      apis: [origin],
      storage: shared.tab(),
      async fetch(...request) {
        const answer = await fetch(...request);
        if (answer.url.startsWith(origin)) shared.texts.set('sallyport', JSON.stringify(tokens));
        return answer;
      },
    });
    refusal = {};
    expect((await client.fetch(`${origin}/notes`, { method: 'POST', body: '1' })).status).toBe(401);
    expect(seen).toHaveLength(1);
  });

  it('tells nobody else the token', async () => {
    const { client } = await signedInOn();
    const { host } = new URL(gate.url);
    for (const address of [
      origin,
      `http://${host}.evil.test/`,
      `http://${host}@127.0.0.1:9/`,
      `http://${host}\\@127.0.0.1:9/`,
      `http://${host}0/`,
      '//127.0.0.1:9/',
      '/notes',
    ])
      await expect(client.fetch(address), address).rejects.toThrow('name its origin in `apis`');
    expect(seen).toEqual([]);
    expect((await client.fetch(`${gate.url}/me`)).status).toBe(200);
    expect((await client.fetch(new URL('/me', gate.url))).status).toBe(200);
  });
});
