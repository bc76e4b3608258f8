import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '#src/client/index';
import { dpop, memoryKeys, type OpenKey } from '#src/client/dpop';
import type { ClientOptions, Storage } from '#src/client/types';
import { password } from '#test/support/app';
import { bundle } from '#test/support/clients/bundle';
import { blocks } from '#test/support/clients/examples';
import { lost } from '#test/support/clients/gate';
import { expire, LOGOUT, ME, REFRESH } from '#test/support/clients/harness';
import { sharedTexts, startSdk } from '#test/support/clients/sdk-harness';
import { addApp } from '#test/support/second-factor';
import { listening, secondService } from '#test/support/second-service';

const app = await startSdk({}, { isPublic: true });
const { ask, clientOn, ctx, gate, generationOf, register } = app;
app.startSealing();
const LOGIN = 'POST /auth/login';
const jktOf = (token: string) =>
  JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).cnf?.jkt as string;

afterEach(() => void vi.useRealTimers());

const { code, imports } = await bundle('dpop');

/** The module as a device has it whose clock is wrong. */
function dpopWhereTheClockIs(days: number, ...given: Parameters<typeof dpop>) {
  class WrongDate extends Date {
    static override now = () => Date.now() + days * 86_400_000;
  }
  const globals = { Date: WrongDate, Headers, Response, TextEncoder, atob, btoa, crypto };
  const [, names] = /export\s*\{([^}]+)\};?\s*$/.exec(code)!;
  const made = names!.replaceAll(/([\w$]+) as (\w+)/g, '$2:$1');
  const module = code.replace(/export\s*\{[^}]+\};?\s*$/, `({${made}})`);
  const own = runInNewContext(module, globals) as { dpop: typeof dpop };
  return own.dpop(...given);
}

/** Somebody who has signed in with a key. */
async function bound(more: Partial<ClientOptions> = {}, open: OpenKey = memoryKeys()) {
  const user = await register();
  const made = clientOn({ dpop: dpop(open), ...more });
  const credentials = { identifier: user.username, password };
  const answer = await made.client.signIn(credentials);
  if (!answer.ok) throw new Error(answer.body.title);
  return { ...made, user, credentials, open, tokens: answer.body };
}

describe('a client with dpop', () => {
  it('binds the session that it signs in, by one nonce more, and goes on with it', async () => {
    const { client, tokens, user } = await bound();
    expect(tokens.tokenType).toBe('DPoP');
    expect(gate.count(LOGIN)).toBe(2); // it is told the nonce first
    const me = await client.request('GET', '/me');
    expect(me.ok && me.body.id).toBe(user.id);
    expect(gate.count(ME)).toBe(1);
    const stolen = await ask('GET', '/me', { token: tokens.accessToken });
    expect([stolen.status, stolen.body.code]).toEqual([401, 'invalid_dpop_proof']);
  });

  it('refreshes with the same key, also after a lost reply, and asks for the nonce when it is old', async () => {
    const { client, tokens } = await bound();
    expire();
    gate.next(REFRESH, lost, lost);
    expect((await client.request('GET', '/me')).status).toBe(200);
    expect(await generationOf(tokens.session.id)).toBe(1);
    expect(gate.count(REFRESH)).toBeGreaterThan(1);
  });

  it('has many requests answered whose nonce is old, and repeats each of them once', async () => {
    const { client } = await bound();
    await client.request('GET', '/me');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 }); // the nonce is old, the token is not
    const asked = Array.from({ length: 10 }, () => client.request('GET', '/me'));
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(gate.count(ME)).toBe(21);
  });

  it('is one with all that share its storage and its key', async () => {
    const shared = sharedTexts();
    const keys = memoryKeys();
    const { tokens } = await bound({ storage: shared.tab() }, keys);
    const { client: other } = clientOn({ storage: shared.tab(), dpop: dpop(keys) });
    expect((await other.request('GET', '/me')).status).toBe(200);
    expire();
    expect((await other.request('GET', '/me')).status).toBe(200);
    expect(jktOf(JSON.parse(shared.texts.get('sallyport')!).accessToken)).toBe(
      jktOf(tokens.accessToken),
    );
  });

  it('signs up, proves a second factor, and changes the password with the key', async () => {
    const { client, credentials, tokens } = await bound({
      prompt: async () => ({ code: factor.code() }),
    });
    const request = client.request as unknown as (...asked: unknown[]) => Promise<object>;
    const factor = await addApp(ctx, {
      ask: async (method, path, { body } = {}) => (await request(method, path, body)) as never,
    });
    const again = await client.signIn(credentials);
    expect(again.ok && again.body.session.acr).toBe('aal2');
    expect(again.ok && jktOf(again.body.accessToken)).toBe(jktOf(tokens.accessToken));
    const newPassword = 'another horse battery';
    const changed = await client.request('PUT', '/me/password', {
      currentPassword: password,
      newPassword,
    });
    expect(changed.ok && changed.body.tokenType).toBe('DPoP');
    const { client: fresh } = clientOn({ dpop: dpop() });
    const made = await fresh.signUp({ username: app.unusedName(), password });
    expect(made.ok && 'tokenType' in made.body && made.body.tokenType).toBe('DPoP');
    expect((await fresh.request('GET', '/me')).status).toBe(200);
  });

  it('signs out, and tells the server', async () => {
    const { client, tokens } = await bound();
    expect(await client.signOut()).toMatchObject({ ok: true });
    expect(gate.count(LOGOUT)).toBe(1);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: tokens.refreshToken },
    });
    expect(body.code).toBe('invalid_grant');
    expect(client.state.status).toBe('signed_out');
  });

  it('goes on with a session that is not bound, and the next sign-in is', async () => {
    const shared = sharedTexts();
    const { client: before } = clientOn({ storage: shared.tab() });
    const { username: identifier } = await register();
    await before.signIn({ identifier, password });
    const { client } = clientOn({ storage: shared.tab(), dpop: dpop() });
    expect((await client.request('GET', '/me')).status).toBe(200);
    expire();
    expect((await client.request('GET', '/me')).status).toBe(200);
    const next = await client.signIn({ identifier, password });
    expect(next.ok && next.body.tokenType).toBe('DPoP');
  });
});

describe('a key that is lost', () => {
  it('is the end of the session for this device, in clear words, until the next sign-in', async () => {
    const shared = sharedTexts();
    const { tokens, credentials } = await bound({ storage: shared.tab() });
    const { client } = clientOn({ storage: shared.tab(), dpop: dpop() });
    const answer = await client.request('GET', '/me');
    expect(answer.body).toMatchObject({
      code: 'invalid_grant',
      reason: 'key',
      action: 'sign_in',
      sessionStatus: 'unknown',
    });
    expect(client.state).toMatchObject({ status: 'signed_out', problem: { reason: 'key' } });
    expect(gate.count(ME)).toBe(0); // what no key proves is not sent
    // The session itself lives: whoever has the key may go on.
    expect(await app.Session.count({ where: { id: tokens.session.id, endedAt: null } })).toBe(1);
    expect((await client.signIn(credentials)).ok).toBe(true);
    expect(client.state.status).toBe('signed_in');
    expect((await client.request('GET', '/me')).status).toBe(200);
  });

  it('without WebCrypto, no request is sent, and the answer says what is missing', async () => {
    const open: OpenKey = async () => {
      throw new TypeError('DPoP needs WebCrypto: a page over https, or a key of your own');
    };
    const { client } = clientOn({ dpop: dpop(open) });
    const answer = await client.signIn({ identifier: 'ada', password });
    expect([answer.status, answer.body]).toEqual([
      0,
      expect.objectContaining({ title: expect.stringContaining('DPoP needs WebCrypto') }),
    ]);
    expect(gate.count(LOGIN)).toBe(0);
  });
});

describe('client.fetch', () => {
  /** A service at its own address: the proof must be for it. */
  async function serviceOf(nonces: boolean) {
    let target = '';
    const url = await listening(async (req, res) => {
      const { authorization = '', dpop: proof = '' } = req.headers;
      const headers = { authorization, ...(proof && { dpop: String(proof) }) };
      const answer = await fetch(target + req.url, { method: req.method!, headers });
      const {
        'content-length': _,
        'transfer-encoding': __,
        ...own
      } = Object.fromEntries(answer.headers);
      res.writeHead(answer.status, own).end(await answer.text());
    });
    const service = await secondService(app, { dpop: { url, nonces } });
    target = service.url;
    return { url };
  }

  it.each([false, true])(
    'sends a proof to the services that it knows (nonces: %s)',
    async (nonces) => {
      const { url } = await serviceOf(nonces);
      const { client, user } = await bound({ apis: [url] });
      for (const asked of [`${url}/who?x=1#y`, new Request(`${url}/who`), new URL(`${url}/who`)]) {
        const answer = await client.fetch(asked);
        expect([answer.status, ((await answer.json()) as { id: string }).id]).toEqual([
          200,
          user.id,
        ]);
      }
    },
  );

  it.each([-2, 2])('works where the clock is %i days off', async (days) => {
    const { url } = await serviceOf(false);
    const { client } = await bound({ apis: [url], dpop: dpopWhereTheClockIs(days) });
    for (let i = 0; i < 2; i++) expect((await client.fetch(`${url}/who`)).status).toBe(200);
    // After a restart nobody has told the time yet: the service does, and the next proof is right.
    const shared = sharedTexts();
    const keys = memoryKeys();
    await bound({ storage: shared.tab() }, keys);
    const { client: later } = clientOn({
      storage: shared.tab(),
      apis: [url],
      dpop: dpopWhereTheClockIs(days, keys),
    });
    expect((await later.fetch(`${url}/who`)).status).toBe(200);
  });

  it('sends no proof with other tokens, and none to strangers', async () => {
    const seen: (string | undefined)[] = [];
    const url = await listening((req, res) => {
      seen.push(req.headers['dpop'] as string | undefined);
      res.end('{}');
    });
    const { client } = clientOn({ dpop: dpop(), apis: [url] });
    await client.fetch(url);
    await client.fetch(url, { method: 'POST', headers: { authorization: 'Bearer x' } });
    expect(seen).toEqual([undefined, undefined]);
  });
});

it('goes on after a restart with a key in the keychain, as docs/clients.md keeps it', async () => {
  const file = join(resolve('keychain-key'), 'keychain-key.mjs');
  mkdirSync(dirname(file));
  writeFileSync(file, blocks.get('keychain-key.js')!);
  const { keychainKey } = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
    keychainKey: (storage: Storage) => OpenKey;
  };
  const shared = sharedTexts();
  await bound({ storage: shared.tab() }, keychainKey(shared.tab()));
  const { client } = clientOn({
    storage: shared.tab(),
    dpop: dpop(keychainKey(shared.tab())),
  });
  expect((await client.request('GET', '/me')).status).toBe(200);
});

it('has at most 2 kB, and brings nothing along', () => {
  expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(2000);
  expect(imports).toEqual([]);
});

it('is of no use to a client of another kind: createClient alone knows nothing of keys', async () => {
  const { username: identifier } = await register();
  const client = createClient({ url: gate.url, storage: sharedTexts().tab() });
  const answer = await client.signIn({ identifier, password });
  expect(answer.ok && answer.body.tokenType).toBe('Bearer');
});
