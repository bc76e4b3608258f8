import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { afterAll, expect, it } from 'vitest';
import { password, testSecret } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { authorizationRequest } from '#test/support/pkce';
import { root, settingsFor, startProcess } from '#test/support/process';

// Inside the repository, so that `#src/…` means what it does in strategies/.
const folder = mkdtempSync(join(root, 'test', '.readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

const page = readFileSync(join(root, 'strategies', 'README.md'), 'utf8');
const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
const nameOf = (code: string) => /name: '(\w+)'/.exec(code)![1]!;
for (const code of examples) writeFileSync(join(folder, `${nameOf(code)}.ts`), code);

const keys = { robot: testSecret(), hook: testSecret() };
/** The gateway that would send a code by SMS. */
const sent: { phone: string; code: string }[] = [];
const gateway = createServer((req, res) => {
  void json(req).then((message) => {
    sent.push(message as (typeof sent)[number]);
    res.end();
  });
}).listen(0, '127.0.0.1');
await once(gateway, 'listening');
afterAll(() => gateway.close());

const { ask, url, kill } = await startProcess(
  settingsFor(await emptyDatabase(), {
    STRATEGIES_DIR: folder,
    REDIRECT_URIS: 'https://app.example.com/in',
    FACEBOOK_ID: 'an id',
    FACEBOOK_SECRET: 'a secret',
    ROBOT_KEY: keys.robot,
    ROBOT_USER: 'ada',
    SMS_URL: `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`,
    HOOK_SECRET: keys.hook,
    HOOK_USER: 'ada',
  }),
);
afterAll(() => kill());
await ask('POST', '/auth/register', { body: { username: 'ada', password } });

it('has four examples, each of which fits on a screen', () => {
  expect(examples.map(nameOf)).toEqual(['facebook', 'robot', 'sms', 'hook']);
  for (const code of examples)
    expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(nameOf(code) === 'sms' ? 34 : 26);
});

it('lets the robot in by its key', async () => {
  const me = (key: string) => ask('GET', '/me', { headers: { 'x-robot-key': key } });
  expect((await me(keys.robot)).body.username).toBe('ada');
  expect((await me(`${keys.robot}x`)).body.code).toBe('token_missing');
});

it('sends browsers to Facebook', async () => {
  const { address } = authorizationRequest(url, 'facebook', 'https://app.example.com/in');
  const answer = await fetch(address, { redirect: 'manual' });
  const target = new URL(answer.headers.get('location')!);
  expect(target.hostname).toBe('www.facebook.com');
  expect(target.searchParams.get('redirect_uri')).toMatch(/\/auth\/facebook\/callback$/);
  expect(target.searchParams.get('state')).toMatch(/^[\w-]{32}$/);
});

it('signs in with a code by SMS, once, and not with a wrong one', async () => {
  const request = async () => {
    const answer = await ask('POST', '/auth/sms/request', { body: { phone: '+4930123456' } });
    expect(answer.status, answer.text).toBe(202);
    return { requestToken: answer.body.requestToken as string, code: sent.at(-1)!.code };
  };
  const right = await request();
  expect((await ask('POST', '/auth/sms', { body: right })).body.session.strategy).toBe('sms');
  expect((await ask('POST', '/auth/sms', { body: right })).status).toBe(401);
  const other = await request();
  const wrong = { ...other, code: other.code === '000000' ? '000001' : '000000' };
  expect((await ask('POST', '/auth/sms', { body: wrong })).status).toBe(401);
  expect((await ask('POST', '/auth/sms', { body: other })).status).toBe(200); // five are too many
});

it('lets the webhook in by the signature of its body, which the route still gets', async () => {
  const raw = JSON.stringify({ name: 'By a hook' });
  const send = (signed: string) =>
    ask('PATCH', '/me', {
      raw,
      headers: {
        'content-type': 'application/json',
        'x-hook-signature': createHmac('sha256', keys.hook).update(signed).digest('hex'),
      },
    });
  expect((await send(raw)).body.name).toBe('By a hook');
  expect((await send(`${raw} `)).status).toBe(401);
});
