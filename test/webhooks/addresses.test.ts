import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { startReceiver } from '#test/support/receiver';

const closed = await startApp();
const open = await startApp({
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1, 10.20.0.0/16, hooks.internal',
});
const receiver = await startReceiver({ close: afterAll });
const PUBLIC = '93.184.215.14';
const [stranger, friend] = [await closed.register({}, 'admin'), await open.register({}, 'admin')];
const create = (who: typeof stranger, url: string) =>
  who.ask('POST', '/admin/webhooks', { body: { url, types: ['*'] } });
/** Names resolve to these addresses on this server. */
function resolving({ ctx }: typeof open, names: Record<string, readonly string[]>): void {
  ctx.webhooks.resolve = async (host) =>
    (names[host] ?? []).map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
}
afterEach(async () => {
  receiver.heard.length = 0;
  for (const { Webhook } of [closed, open]) await Webhook.destroy({ where: {} });
});

describe('W-01 a webhook is refused', () => {
  it.each([
    'https://127.0.0.1/',
    'https://127.1/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://0x7f.0.0.1/',
    'https://0x7f000001/',
    'https://１２７.0.0.1/',
    'https://127.0.0.1./',
    'https://0.0.0.0/',
    'https://0/',
    'https://10.0.0.1/',
    'https://100.64.0.1/',
    'https://100.127.255.255/',
    'https://169.254.169.254/latest/meta-data/',
    'https://172.16.0.1/',
    'https://172.31.255.255/',
    'https://192.0.0.1/',
    'https://192.0.2.1/',
    'https://192.88.99.1/',
    'https://192.168.1.1/',
    'https://198.18.0.1/',
    'https://198.51.100.1/',
    'https://203.0.113.1/',
    'https://224.0.0.1/',
    'https://240.0.0.1/',
    'https://255.255.255.255/',
    'https://[::1]/',
    'https://[::]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[::ffff:7f00:1]/',
    'https://[::ffff:8.8.8.8]/',
    'https://[::127.0.0.1]/',
    'https://[64:ff9b::7f00:1]/',
    'https://[64:ff9b:1::1]/',
    'https://[100::1]/',
    'https://[2001:db8::1]/',
    'https://[2001::1]/',
    'https://[2002:7f00:1::]/',
    'https://[3fff::1]/',
    'https://[fc00::1]/',
    'https://[fd12:3456::1]/',
    'https://[fe80::1]/',
    'https://[fec0::1]/',
    'https://[ff02::1]/',
    `http://${PUBLIC}/`,
  ])('for %s', async (url) => {
    const { status, body } = await create(stranger, url);
    expect([status, body.errors?.[0].code]).toEqual([400, 'address_refused']);
    expect(await closed.Webhook.count()).toBe(0);
  });

  it.each([
    ['nothing', []],
    ['loopback', ['127.0.0.1']],
    ['a public address and a private one', [PUBLIC, '10.0.0.1']],
    ['an IPv4-mapped address', ['::ffff:10.0.0.1']],
    ['an address with a zone', ['fe80::1%eth0']],
  ])('for a name that resolves to %s', async (_what, addresses) => {
    resolving(closed, { 'hooks.example': addresses });
    const { body } = await create(stranger, 'https://hooks.example/');
    expect(body.errors[0].code).toBe('address_refused');
  });

  it('and cannot be changed to such an address', async () => {
    const { body } = await create(stranger, `https://${PUBLIC}/`);
    const changed = await stranger.ask('PATCH', `/admin/webhooks/${body.id}`, {
      body: { url: 'https://10.0.0.1/' },
    });
    expect(changed.body.errors[0].code).toBe('address_refused');
    expect((await closed.Webhook.findByPk(body.id))!.url).toBe(`https://${PUBLIC}/`);
  });

  it('but not for public addresses by https, nor for what the setting names, by http too', async () => {
    resolving(closed, { 'hooks.example': [PUBLIC, '2606:2800:21f:cb07:6820:80da:af6b:8b2c'] });
    for (const url of [
      `https://${PUBLIC}:8443/a?b=c`,
      'https://hooks.example/',
      'https://[2606:4700::1]/',
    ])
      expect((await create(stranger, url)).status, url).toBe(201);
    resolving(open, { 'hooks.internal': ['192.168.7.7'], 'other.internal': ['10.20.3.4'] });
    for (const host of [
      '10.20.255.1',
      'hooks.internal',
      'hooks.internal.',
      'other.internal',
      '[::ffff:10.20.0.1]',
    ])
      expect((await create(friend, `http://${host}/`)).status, host).toBe(201);
    for (const host of ['10.21.0.1', 'sub.hooks.internal', '127.0.0.2'])
      expect((await create(friend, `https://${host}/`)).status, host).toBe(400);
  });
});

describe('W-01 when it connects', () => {
  const tried = (app: typeof open, id: string) =>
    eventually(async () => {
      const { data } = await app.auth.webhooks.deliveries(id, { limit: 1 });
      expect(data[0]!.attempts).toBe(1);
      expect(data[0]!.lastStatus ?? data[0]!.lastError).not.toBe(null);
      return data[0]!;
    });

  it('a name is resolved again, and the address that it has then is refused (DNS rebinding)', async () => {
    resolving(closed, { 'rebinding.example': [PUBLIC] });
    const { body } = await create(stranger, `https://rebinding.example:${receiver.port}/`);
    let asked = 0;
    closed.ctx.webhooks.resolve = async () => {
      asked++;
      return [{ address: '127.0.0.1', family: 4 }];
    };
    await closed.auth.webhooks.test(body.id);
    expect(await tried(closed, body.id)).toMatchObject({ lastError: 'address_refused' });
    expect([asked, receiver.connections()]).toEqual([1, 0]);
  });

  it('an address is refused that the setting no longer names', async () => {
    const { body } = await create(stranger, `https://${PUBLIC}/`);
    await closed.Webhook.update({ url: receiver.url }, { where: { id: body.id } });
    await closed.auth.webhooks.test(body.id);
    expect(await tried(closed, body.id)).toMatchObject({ lastError: 'address_refused' });
    expect(receiver.connections()).toBe(0);
  });

  it('only the addresses that are allowed are used', async () => {
    resolving(open, { 'hooks.internal': ['127.0.0.1'], 'mixed.internal': ['127.0.0.1'] });
    const { body } = await create(friend, `http://mixed.internal:${receiver.port}/`);
    resolving(open, { 'mixed.internal': ['127.0.0.2', '127.0.0.1', '::1'] });
    await open.auth.webhooks.test(body.id);
    expect(await tried(open, body.id)).toMatchObject({ lastStatus: 204 });
    expect(receiver.heard[0]!.headers['host']).toBe(`mixed.internal:${receiver.port}`);
  });

  it('redirects are not followed', async () => {
    const inner = await startReceiver();
    receiver.answer((res) => res.writeHead(307, { location: inner.url }).end());
    const { body } = await create(friend, receiver.url);
    await open.auth.webhooks.test(body.id);
    expect(await tried(open, body.id)).toMatchObject({ lastStatus: 307, state: 'pending' });
    expect(inner.connections()).toBe(0);
    receiver.answer(204);
  });
});

describe('WEBHOOK_ALLOWED_NETWORKS', () => {
  const settingsOf = (text: string) =>
    parseSettings(settingsFrom({ WEBHOOK_ALLOWED_NETWORKS: text })).webhookAllowedNetworks;
  it.each([
    '10.0.0.0/33',
    '10.0.0.0/0',
    '::/0',
    '300.1.1.1',
    '2130706433',
    'http://hooks',
    'a..b',
    '*',
    'a b',
  ])('refuses %s', (text) => {
    expect(() => settingsOf(text)).toThrow(/WEBHOOK_ALLOWED_NETWORKS must be .*hooks\.internal/);
  });

  it('takes networks, addresses and names', () => {
    const { hosts, networks } = settingsOf('10.0.0.0/8, fd00::/8, 192.0.2.7, Hooks.Internal, cafe');
    expect(hosts).toEqual(['hooks.internal', 'cafe']);
    expect([networks.check('10.9.9.9'), networks.check('fd12::1', 'ipv6')]).toEqual([true, true]);
    expect([networks.check('192.0.2.7'), networks.check('192.0.2.8')]).toEqual([true, false]);
  });
});
