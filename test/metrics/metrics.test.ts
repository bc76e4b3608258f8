import { request } from 'node:http';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createSallyport } from '#src/index';
import { checkSettings, settingsFrom } from '#src/platform/settings/read';
import { queueMail } from '#src/platform/mail/outbox';
import { password, startApp } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { namesIn } from '#test/support/prometheus';
import { addApp } from '#test/support/second-factor';
import { testOptions } from '#test/support/host';

const off = await startApp();
const { ctx, ask, logIn, register, metricsUrl, auth } = await startApp({
  METRICS_PORT: '0',
  SESSION_CACHE_TTL: '5',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.0/8',
});
const limited = await startApp({
  METRICS_PORT: '0',
  LIMITS: 'on',
  LIMIT_SIGN_INS_PER_NETWORK: '8/1m',
});

const scrape = async () => (await fetch(metricsUrl!)).text();
/** The value of a series, 0 if there is none. `labels` in the order of the metric. */
async function valueOf(name: string, labels: Record<string, string> = {}): Promise<number> {
  const own = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const series = own.length > 0 ? `${name}{${own.join(',')}}` : name;
  const line = (await scrape()).split('\n').find((each) => each.startsWith(`${series} `));
  return Number(line?.slice(series.length + 1) ?? 0);
}
/** How much a series grows by `work`. */
async function growth(work: () => Promise<unknown>, ...series: Parameters<typeof valueOf>) {
  const before = await valueOf(...series);
  await work();
  return eventually(async () => {
    const grown = (await valueOf(...series)) - before;
    expect(grown).toBeGreaterThan(0);
    return grown;
  });
}
const requests = 'sallyport_http_requests_total';

describe('the settings', () => {
  it.each([
    [{ METRICS_PORT: '3000' }, /^METRICS_PORT is the same as PORT: /],
    [{ METRICS_PORT: '9464', PORT: '9464' }, /^METRICS_PORT is the same as PORT: /],
    [{ METRICS_HOST: '0.0.0.0' }, /^METRICS_HOST does nothing without METRICS_PORT: /],
    [{ METRICS_PORT: '65536' }, /^METRICS_PORT must be a whole number from 0 to 65535$/],
    [{ METRICS_PORT: 'on' }, /^METRICS_PORT must be a whole number from 0 to 65535$/],
  ])('%j are refused', (env, sentence) => {
    expect(checkSettings(settingsFrom(env)).mistakes).toEqual([expect.stringMatching(sentence)]);
  });

  it('listen on loopback unless they say otherwise', () => {
    const { settings } = checkSettings(settingsFrom({ METRICS_PORT: '9464' }));
    expect(settings).toMatchObject({ metricsPort: 9464, metricsHost: '127.0.0.1' });
  });
});

describe('without METRICS_PORT', () => {
  it('nothing is counted, and nobody listens', async () => {
    expect(off.metricsUrl).toBeUndefined();
    expect(off.ctx.metrics).toBeUndefined();
    expect(await off.auth.metrics()).toBe('');
  });
});

describe('the port of the metrics', () => {
  it('is not the public one, on which there is no such route', async () => {
    expect((await ask('GET', '/metrics')).status).toBe(404);
    expect(new URL(metricsUrl!).hostname).toBe('127.0.0.1');
  });

  it.each<[string, string, number]>([
    ['GET', '/', 404],
    ['GET', '/me', 404],
    ['GET', '/metrics/', 404],
    ['POST', '/metrics', 405],
    ['DELETE', '/metrics', 405],
    ['PROPFIND', '/metrics', 405],
  ])('answers %s %s with %i', async (method, path, status) => {
    const { hostname, port } = new URL(metricsUrl!);
    const answer = await new Promise<number>((resolve, reject) => {
      request({ hostname, port, method, path }, (res) => resolve(res.resume().statusCode!))
        .on('error', reject)
        .end();
    });
    expect(answer).toBe(status);
  });

  it('answers HEAD and GET with the type of the text format', async () => {
    for (const method of ['HEAD', 'GET']) {
      const { status, headers } = await fetch(metricsUrl!, { method });
      expect([status, headers.get('content-type'), headers.get('cache-control')]).toEqual([
        200,
        'text/plain; version=0.0.4; charset=utf-8',
        'no-store',
      ]);
    }
  });
});

describe('requests', () => {
  it('are counted by method, route and status', async () => {
    const { token } = await register();
    const me = () => ask('GET', '/me', { token });
    expect(await growth(me, requests, { method: 'GET', route: '/me', status: '200' })).toBe(1);
    const stranger = () => ask('GET', '/me');
    expect(await growth(stranger, requests, { method: 'GET', route: '/me', status: '401' })).toBe(
      1,
    );
    const listed = { method: 'GET', route: '/me' };
    expect(await growth(me, 'sallyport_http_request_duration_seconds_count', listed)).toBe(1);
  });

  it('name the template of the route, never an id', async () => {
    const id = '0197a000-0000-7000-8000-000000000000';
    const { token } = await register();
    const gone = () => ask('DELETE', `/me/sessions/${id}`, { token });
    const series = { method: 'DELETE', route: '/me/sessions/:id', status: '404' };
    expect(await growth(gone, requests, series)).toBe(1);
    expect(await scrape()).not.toContain(id);
  });

  it('of strangers make no series of their own, whatever path, method or header they send', async () => {
    const count = async () => (await scrape()).split('\n').length;
    await ask('GET', '/nobody-has-this-0');
    await eventually(async () =>
      expect(
        await valueOf(requests, { method: 'GET', route: 'other', status: '404' }),
      ).toBeGreaterThan(0),
    );
    await logIn('nobody', 'wrong password');
    const before = await count();
    for (let i = 0; i < 20; i++) {
      await ask('GET', `/nobody-has-this-${i}?a=${i}`, { headers: { 'x-request-id': `id-${i}` } });
      await ask('GET', `/docs/nothing-${i}`);
    }
    expect(await count()).toBe(before);
    expect(await scrape()).not.toMatch(/nobody-has-this|nothing-/);
  });

  it('of an unknown method are counted as `other`', async () => {
    const odd = () => ask('PROPFIND', '/me');
    const series = { method: 'other', route: 'other', status: '405' };
    expect(await growth(odd, requests, series)).toBe(1);
  });
});

describe('what the server does', () => {
  const signIns = 'sallyport_sign_ins_total';
  const refreshes = 'sallyport_refreshes_total';

  it('counts sign-ins by strategy and outcome', async () => {
    const { username } = await register();
    const right = () => logIn(username);
    const wrong = () => logIn(username, 'wrong password');
    expect(await growth(right, signIns, { strategy: 'local', outcome: 'succeeded' })).toBe(1);
    expect(await growth(wrong, signIns, { strategy: 'local', outcome: 'refused' })).toBe(1);
    const ada = await register();
    await addApp(ctx, ada);
    const first = () => logIn(ada.username);
    expect(await growth(first, signIns, { strategy: 'local', outcome: 'challenged' })).toBe(1);
  });

  it('counts refreshes by outcome', async () => {
    const { tokens } = await register();
    const refresh = (refreshToken: string) =>
      ask('POST', '/auth/refresh', { body: { refreshToken } });
    const good = () => refresh(tokens.refreshToken);
    expect(await growth(good, refreshes, { outcome: 'succeeded' })).toBe(1);
    expect(await growth(() => refresh('x'.repeat(43)), refreshes, { outcome: 'unknown' })).toBe(1);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: tokens.refreshToken },
    });
    await ask('POST', '/auth/logout', { body: { refreshToken: body.refreshToken } });
    const ended = () => refresh(body.refreshToken);
    expect(await growth(ended, refreshes, { outcome: 'revoked' })).toBe(1);
  });

  it('counts refreshes with what may be stolen, and with what has expired', async () => {
    const { tokens } = await register();
    const refresh = (refreshToken: string) =>
      ask('POST', '/auth/refresh', { body: { refreshToken } });
    const second = (await refresh(tokens.refreshToken)).body;
    await refresh(second.refreshToken);
    const stolen = () => refresh(tokens.refreshToken);
    expect(await growth(stolen, refreshes, { outcome: 'reused' })).toBe(1);
    const late = (await register()).tokens;
    await ctx.db.Session.update(
      { expiresAt: ctx.clock.date() },
      { where: { id: late.session.id } },
    );
    const expired = () => refresh(late.refreshToken);
    expect(await growth(expired, refreshes, { outcome: 'expired' })).toBe(1);
  });

  it('counts what waits to be hashed, and for how long', async () => {
    const { username } = await register();
    expect(await growth(() => logIn(username), 'sallyport_hash_wait_seconds_count')).toBe(1);
    expect(await valueOf('sallyport_hash_queue_length')).toBe(0);
    const many = () =>
      Promise.allSettled(Array.from({ length: 500 }, () => ctx.passwords.hash(password)));
    expect(await growth(many, 'sallyport_hashes_refused_total')).toBeLessThan(500);
    expect(await valueOf('sallyport_hashes_running')).toBe(0);
  });

  it('counts hits and misses of the session cache', async () => {
    const { token } = await register();
    const reads = 'sallyport_session_cache_reads_total';
    expect(await growth(() => ask('GET', '/me', { token }), reads, { result: 'miss' })).toBe(1);
    expect(await growth(() => ask('GET', '/me', { token }), reads, { result: 'hit' })).toBe(1);
  });

  it('counts the mails that wait, and those that were sent', async () => {
    const sent = () =>
      queueMail(ctx, 'ada@example.com', {
        template: 'test',
        subject: 'A test',
        parts: ['A test.'],
        goodFor: 60,
      });
    expect(await growth(sent, 'sallyport_mails_total', { outcome: 'sent' })).toBe(1);
    const row = (nextAttemptAt: Date, expiresAt: Date) => {
      const [id, encryptedPayload] = [crypto.randomUUID(), 'x'];
      const mail = { id, template: 'test', encryptedPayload, attempts: 1 };
      return ctx.db.OutgoingMail.create({ ...mail, nextAttemptAt, expiresAt });
    };
    const unreadable = async () => {
      await row(ctx.clock.date(), ctx.clock.date(10_000));
      ctx.outbox.wake();
    };
    expect(await growth(unreadable, 'sallyport_mails_total', { outcome: 'failed' })).toBe(1);
    const waiting = await row(ctx.clock.date(3_600_000), ctx.clock.date(7_200_000));
    await eventually(async () => expect(await valueOf('sallyport_mail_queue_length')).toBe(1));
    const dropped = () => auth.mails.drop(waiting.id);
    expect(await growth(dropped, 'sallyport_mails_total', { outcome: 'dropped' })).toBe(1);
    await eventually(async () => expect(await valueOf('sallyport_mail_queue_length')).toBe(0));
  });

  it('tells the length and the age of each queue, also of an empty one', async () => {
    const text = await scrape();
    for (const queue of ['mail', 'webhook'])
      for (const what of ['length', 'age_seconds'])
        expect(text).toMatch(new RegExp(`^sallyport_${queue}_queue_${what} [\\d.]+$`, 'm'));
    const webhook = { url: 'http://127.0.0.1:9/', types: ['*'] };
    const admin = await register({}, 'admin');
    const { body, text: said } = await admin.ask('POST', '/admin/webhooks', { body: webhook });
    expect(body.id, said).toBeDefined();
    await admin.ask('POST', `/admin/webhooks/${body.id}/test`);
    await eventually(async () => {
      expect(await valueOf('sallyport_webhook_queue_length')).toBeGreaterThan(0);
      expect(await valueOf('sallyport_webhook_queue_age_seconds')).toBeGreaterThan(0);
    });
  });

  it('counts limits that were reached', async () => {
    const guess = async () => {
      for (let i = 0; i < 12; i++) await limited.logIn(`nobody${i}`, 'wrong password');
    };
    await guess();
    const text = await (await fetch(limited.metricsUrl!)).text();
    expect(text).toMatch(/^sallyport_limits_reached_total\{limit="sign-in"\} 1$/m);
    expect(text).toMatch(
      /^sallyport_http_requests_total\{method="POST",route="\/auth\/login",status="429"\} 4$/m,
    );
  });

  it.runIf(engine === 'mysql')('tells the pool of the database', async () => {
    const busy = await valueOf('sallyport_database_connections', { state: 'busy' });
    const idle = await valueOf('sallyport_database_connections', { state: 'idle' });
    expect(busy + idle).toBeGreaterThan(0);
    expect(await scrape()).toMatch(/^sallyport_database_connections_awaited 0$/m);
  });

  it('tells of the process: processor, memory, event loop', async () => {
    const text = await scrape();
    for (const name of [
      'process_cpu_seconds_total',
      'process_resident_memory_bytes',
      'process_start_time_seconds',
      'process_open_fds',
      'nodejs_eventloop_lag_p99_seconds',
      'nodejs_eventloop_active_seconds_total',
    ])
      expect(text).toMatch(new RegExp(`^${name} [0-9.e+-]+$`, 'm'));
  });

  it('has no name of a user, address or secret in any label', async () => {
    const { username, id } = await register({ email: 'ada@example.com', username: 'ada-herself' });
    await logIn(username);
    const text = await scrape();
    for (const secret of [username, id, 'ada@example.com', password, '127.0.0.1'])
      expect(text).not.toContain(secret);
  });
});

describe('an app that embeds the server', () => {
  it('gets the same text from auth.metrics(), and opens no port', async () => {
    const own = await createSallyport({ ...(await testOptions()), metrics: true });
    onTestFinished(() => own.close());
    expect(namesIn(await own.metrics())).toEqual(
      expect.arrayContaining(['sallyport_build_info', 'process_cpu_seconds_total']),
    );
  });

  it('gets none unless it asks for them', async () => {
    const own = await createSallyport(await testOptions());
    onTestFinished(() => own.close());
    expect(await own.metrics()).toBe('');
  });

  it.each([
    [{ metricsPort: 9464 }, /^metricsPort is for the program/],
    [{ metrics: 'on' }, /^metrics must be true or false$/],
  ])('is refused with %j', async (options, sentence) => {
    const databaseUrl = await emptyDatabase();
    await expect(
      createSallyport({ ...(await testOptions()), databaseUrl, ...(options as object) }),
    ).rejects.toMatchObject({ mistakes: [expect.stringMatching(sentence)] });
  });

  it('counts in each instance what that did', async () => {
    expect(await auth.metrics()).toContain('sallyport_sign_ins_total{strategy="local"');
    expect(await off.auth.metrics()).toBe('');
  });
});
