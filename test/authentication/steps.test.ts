import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { serve } from '#src/server-program';
import { clientOf, statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { startLimited, statuses, times } from '#test/support/limited';
import { root } from '#test/support/process';
import { rounds } from '#test/support/rounds';

interface Message {
  name: string;
  phone: string;
  code: string;
}
const messages: Message[] = [];
/** A gateway that hangs up on it. */
const DEAD_PHONE = '+490000000';
const gateway = createServer((req, res) => {
  void json(req).then((message) => {
    if ((message as Message).phone === DEAD_PHONE) return void req.socket.destroy();
    messages.push(message as Message);
    res.end();
  });
}).listen(0, '127.0.0.1');
await once(gateway, 'listening');
afterAll(() => {
  gateway.closeAllConnections();
  gateway.close();
});

const app = await startLimited({
  STRATEGIES_DIR: join(root, 'test/support/strategies/steps'),
  SMS_GATEWAY: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
});
const { ask, ctx, document, from, unused, OneTimeToken, Session, User } = app;

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let made = 0;
const unusedPhone = () => `+4930${String(++made).padStart(6, '0')}`;
const requestCode = (phone: unknown, ip = unused(), by = 'sms', client = ask) =>
  client('POST', `/auth/${by}/request`, { body: { phone }, ...from(ip) });
const signIn = (phone: string, code: string, ip = unused(), by = 'sms', client = ask) =>
  client('POST', `/auth/${by}`, { body: { phone, code }, ...from(ip) });
/** The code that was sent last to this phone. */
const codeFor = (phone: string) => messages.findLast((message) => message.phone === phone)!.code;
async function askedFor(phone: string, by = 'sms'): Promise<string> {
  const { status, text } = await requestCode(phone, unused(), by);
  expect(status, text).toBe(202);
  return codeFor(phone);
}
const wrong = (code: string) => (code === '000000' ? '000001' : '000000');

describe('a step', () => {
  it('is a route of its own below that of its strategy', async () => {
    const phone = unusedPhone();
    const { status, body } = await requestCode(phone, '198.51.99.7');
    expect([status, body]).toEqual([202, { seconds: 300, network: '198.51.99.7' }]); // and no code: `returns` does not name it
    expect(messages.at(-1)).toMatchObject({ name: 'sms', phone });
    expect(await User.count({ where: { username: phone } })).toBe(0);
    const first = await signIn(phone, codeFor(phone));
    expect(first.body).toMatchObject({ session: { strategy: 'sms' }, user: { roles: ['user'] } });
    const again = await signIn(phone, await askedFor(phone));
    expect(again.body.user.id).toBe(first.body.user.id);
  });

  it('is asked with POST alone, and is not listed as a way to sign in', async () => {
    const answer = await ask('GET', '/auth/sms/request', from(unused()));
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
    const { body } = await ask('GET', '/auth/strategies', from(unused()));
    const urls = body.map(({ url }: { url: string }) => url);
    expect(urls).toContainEqual(expect.stringMatching(/\/auth\/sms$/));
    expect(urls.filter((url: string | null) => url?.includes('request'))).toEqual([]);
    expect((await ask('POST', '/auth/sms/other', { body: {}, ...from(unused()) })).status).toBe(
      404,
    );
    expect((await ask('POST', '/auth/local/request', { body: {}, ...from(unused()) })).status).toBe(
      404,
    );
  });

  it.each([
    ['an unknown member', { phone: '+4930999999', surplus: 1 }, '/surplus', 'unknown_field'],
    ['the code of the sign-in', { phone: '+4930999999', code: '123456' }, '/code', 'unknown_field'],
    ['nothing', {}, '/phone', 'required'],
    ['a number', { phone: 4_930_999_999 }, '/phone', 'invalid_type'],
    ['another form', { phone: 'ada' }, '/phone', 'invalid_format'],
    ['a list', [], '', 'invalid_type'],
  ])('refuses %s, and sends nothing', async (_what, body, pointer, code) => {
    const before = messages.length;
    const answer = await ask('POST', '/auth/sms/request', { body, ...from(unused()) });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(answer.body.errors).toContainEqual({ pointer, code, message: expect.any(String) });
    expect(messages.length).toBe(before);
  });

  it('reads neither the query nor another type', async () => {
    const before = messages.length;
    const phone = encodeURIComponent(unusedPhone());
    const query = await ask('POST', `/auth/sms/request?phone=${phone}`, {
      body: {},
      ...from(unused()),
    });
    expect(query.status).toBe(400);
    const headers = {
      'content-type': 'application/x-www-form-urlencoded',
      ...from(unused()).headers,
    };
    const form = await ask('POST', '/auth/sms/request', { raw: `phone=${phone}`, headers });
    expect(form.status).toBe(415);
    expect(messages.length).toBe(before);
  });

  it('refuses with the problem that it throws', async () => {
    const { status, body } = await requestCode('+999123456');
    expect([status, body.code]).toEqual([413, 'payload_too_large']);
  });

  it('answers 500 without a word when it breaks', async () => {
    const written = vi.spyOn(ctx.log, 'error').mockImplementation(() => {});
    const { steps } = ctx.strategies.on.find(({ name }) => name === 'sms')!;
    vi.spyOn(steps!['request']!, 'run').mockRejectedValue(
      new Error('the key of the gateway is 12345'),
    );
    const phone = unusedPhone();
    const response = await fetch(`${app.url}/auth/sms/request`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...from(unused()).headers },
      body: JSON.stringify({ phone }),
    });
    const text = await response.text();
    expect([response.status, JSON.parse(text).code]).toEqual([500, 'internal']);
    expect(text).not.toContain('12345');
    expect(written).toHaveBeenCalled();
  });

  it('answers 503 when its gateway is unavailable', async () => {
    const { status, body, headers } = await requestCode(DEAD_PHONE);
    expect([status, body.code]).toEqual([503, 'unavailable']);
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('stands in the OpenAPI document', async () => {
    const { post } = (await document()).paths!['/auth/sms/request']!;
    expect(post).toMatchObject({
      operationId: 'smsRequest',
      summary: 'Ask for a code by sms',
      tags: ['Authentication'],
    });
    const text = JSON.stringify(post);
    expect(text).toContain('20 in 1 minute by network');
    expect(Object.keys(post!.responses!)).toEqual(expect.arrayContaining(['202', '400', '429']));
    const { schema } = (post!.requestBody as { content: Record<string, { schema: object }> })
      .content['application/json']!;
    expect(schema).toMatchObject({ required: ['phone'], additionalProperties: false });
    expect(post!.security ?? []).toEqual([]);
    const call = (await document()).paths!['/auth/voice-call/request']!.post!;
    expect(call.operationId).toBe('voiceCallRequest');
  });
});

describe('limits of a step', () => {
  it('are its own: one network may ask so often, another still may, and the sign-in is not counted', async () => {
    const ip = unused();
    wait(0);
    const phone = unusedPhone();
    expect(statuses(await times(20, () => requestCode(phone, ip)))).toEqual([202]);
    const before = messages.length;
    const { status, body, headers } = await requestCode(phone, ip);
    expect([status, body.code]).toEqual([429, 'rate_limited']);
    expect(headers.get('ratelimit-policy')).toContain('sms request');
    expect(messages.length).toBe(before);
    expect((await requestCode(phone)).status).toBe(202);
    expect((await signIn(phone, codeFor(phone), ip)).status).toBe(200);
    wait(60 * SECOND);
    expect((await requestCode(phone, ip)).status).toBe(202);
  });

  it('hold for an IPv6 /48, too: it may ask ten times as often as one of its networks', async () => {
    wait(0);
    const phone = unusedPhone();
    const from48 = (i: number) => requestCode(phone, `2001:db8:77:${Math.floor(i / 20)}::1`);
    expect(statuses(await times(200, from48))).toEqual([202]);
    expect((await from48(200)).status).toBe(429);
    expect((await requestCode(phone, '2001:db8:78::1')).status).toBe(202);
  });

  it('are those of a sign-in if it names none', async () => {
    const ip = unused();
    wait(0);
    const phone = unusedPhone();
    expect(statuses(await times(30, () => requestCode(phone, ip, 'voice-call')))).toEqual([202]);
    expect((await requestCode(phone, ip, 'voice-call')).status).toBe(429);
    expect((await signIn(phone, codeFor(phone), ip, 'voice-call')).status).toBe(429);
    expect((await signIn(phone, codeFor(phone), unused(), 'voice-call')).status).toBe(200);
  });

  it('no request for a code is a failed sign-in: after fifteen of them the right code lets in', async () => {
    const phone = unusedPhone();
    wait(0);
    for (let i = 0; i < 15; i++) await askedFor(phone);
    expect((await signIn(phone, codeFor(phone))).status).toBe(200);
  });

  it('requests that are refused are no failed sign-ins either', async () => {
    const refused = '+999000001';
    wait(0);
    for (let i = 0; i < 15; i++) expect((await requestCode(refused)).status).toBe(413);
    await ctx.strategies.contexts.get('sms')!.store.put(refused, '123456', 300);
    expect((await signIn(refused, '123456')).status).toBe(200);
  });

  it('wrong codes are: after ten of them the right one does not let in, and is not taken', async () => {
    const phone = unusedPhone();
    wait(0);
    for (let i = 0; i < 10; i++) {
      const code = await askedFor(phone);
      const { status, body } = await signIn(phone, wrong(code));
      expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    }
    const code = await askedFor(phone);
    expect((await signIn(phone, code)).status).toBe(401);
    wait(SECOND);
    expect((await signIn(phone, code)).status).toBe(200);
  });
});

describe('a code', () => {
  it('works once', async () => {
    const phone = unusedPhone();
    const code = await askedFor(phone);
    expect((await signIn(phone, code)).status).toBe(200);
    expect((await signIn(phone, code)).body.code).toBe('invalid_credentials');
  });

  it('works once of twenty times at once', async () => {
    for (let round = 0; round < rounds(2, 30); round++) {
      const phone = unusedPhone();
      const code = await askedFor(phone);
      const before = await Session.count();
      const answers = await Promise.all(Array.from({ length: 20 }, () => signIn(phone, code)));
      expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
      expect(await Session.count()).toBe(before + 1);
    }
  });

  it('is replaced by the next one', async () => {
    const phone = unusedPhone();
    const first = await askedFor(phone);
    const second = await askedFor(phone);
    if (second !== first) expect((await signIn(phone, first)).status).toBe(401);
    expect((await signIn(phone, await askedFor(phone))).status).toBe(200);
  });

  it('is not for another phone', async () => {
    const [ada, bob] = [unusedPhone(), unusedPhone()];
    const code = await askedFor(ada);
    expect((await signIn(bob, code)).status).toBe(401);
    expect((await signIn(ada, code)).status).toBe(200);
  });

  it('is refused after its five minutes', async () => {
    const [inTime, late] = [unusedPhone(), unusedPhone()];
    wait(0);
    const codes = [await askedFor(inTime), await askedFor(late)] as const;
    wait(299 * SECOND);
    expect((await signIn(inTime, codes[0])).status).toBe(200);
    wait(2 * SECOND);
    expect((await signIn(late, codes[1])).status).toBe(401);
  });

  it('works on another node, once of all nodes', async () => {
    const other = await serve({ ...app.env, PORT: '0' });
    onTestFinished(() => {
      other.server.closeAllConnections();
      return other.stop();
    });
    const there = clientOf(other.url);
    const phone = unusedPhone();
    expect((await requestCode(phone, unused(), 'sms', there)).status).toBe(202);
    const here = await signIn(phone, codeFor(phone));
    expect(here.status, here.text).toBe(200);
    expect((await signIn(phone, codeFor(phone), unused(), 'sms', there)).status).toBe(401);
    const code = await askedFor(phone);
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        signIn(phone, code, unused(), 'sms', i % 2 ? ask : there),
      ),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('of one strategy is unknown to another one', async () => {
    const phone = unusedPhone();
    const code = await askedFor(phone);
    const by = 'voice-call';
    expect((await signIn(phone, code, unused(), by)).status).toBe(401);
    expect((await signIn(phone, code)).status).toBe(200);
    const called = await askedFor(phone, by);
    const { store } = ctx.strategies.contexts.get('sms')!;
    expect(await store.read(phone)).toBeUndefined();
    const { body } = await signIn(phone, called, unused(), by);
    expect(body.session.strategy).toBe(by);
  });

  it('stands nowhere in the clear', async () => {
    const phone = unusedPhone();
    const code = await askedFor(phone);
    const rows = JSON.stringify(await OneTimeToken.findAll({ raw: true }));
    for (const secret of [phone, `"${code}"`]) expect(rows).not.toContain(secret);
  });
});
