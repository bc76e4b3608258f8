import { array, assert as check, constantFrom, oneof, property, string } from 'fast-check';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import { describe, expect, it } from 'vitest';
import { withoutValues } from '#src/platform/database/statement-text';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { runs } from '#test/support/properties';
import { startTracing, treeOf } from '#test/support/traces';

const untraced = await startApp();
const { spans, traceOf, reset } = startTracing();
const { ask, register, ctx, unusedName } = await startApp();

let made = 0;
/** Asks within a trace of the client, and answers the spans of that trace. */
async function traced(method: string, path: string, question: Parameters<typeof ask>[2] = {}) {
  const traceId = (++made).toString(16).padStart(32, '0');
  const parent = 'b7ad6b7169203331';
  const headers = { traceparent: `00-${traceId}-${parent}-01`, ...question.headers };
  const answer = await ask(method, path, { ...question, headers });
  const all = await eventually(() => {
    const found = traceOf(traceId);
    expect(found.some((span) => span.parentSpanContext?.spanId === parent)).toBe(true);
    return found;
  });
  const request = all.find((span) => span.parentSpanContext?.spanId === parent)!;
  return { answer, all, request, tree: treeOf(all, parent) };
}

describe('without an SDK', () => {
  it('there are no traces, and nothing to ask for them', () => {
    expect(untraced.ctx.traces).toBeUndefined();
    expect(untraced.ctx.db.traceLookUp).toBeUndefined();
    expect(ctx.traces).toBeDefined();
  });
});

describe('a request', () => {
  it('continues the trace of the client, under the template of its route', async () => {
    const { token } = await register();
    const { answer, request, tree } = await traced('GET', '/me', { token });
    expect(answer.status).toBe(200);
    expect(request.kind).toBe(SpanKind.SERVER);
    expect(request.attributes).toEqual({
      'http.request.method': 'GET',
      'http.route': '/me',
      'http.response.status_code': 200,
    });
    expect(tree).toMatchObject({ 'GET /me': { authenticate: {} } });
  });

  it('of a stranger is named without what they sent', async () => {
    const { request, all } = await traced('GET', '/nobody-has-this?secret=1', {
      headers: { 'x-request-id': 'my-own-id' },
    });
    expect(request.name).toBe('GET');
    expect(JSON.stringify(all.map(({ name, attributes }) => [name, attributes]))).not.toMatch(
      /nobody-has-this|secret|my-own-id/,
    );
  });

  it('begins a trace of its own where a client sends none, or one that is broken', async () => {
    for (const traceparent of ['', '00-0-0-00', 'x'.repeat(1000), '00-' + '0'.repeat(32)]) {
      reset();
      expect((await ask('GET', '/livez', { headers: { traceparent } })).status).toBe(200);
      await eventually(() => {
        expect(spans()).toHaveLength(1);
        expect(spans()[0]!.parentSpanContext).toBeUndefined();
      });
    }
  });
});

describe('signing in', () => {
  it('shows strategy, use-case and statements', async () => {
    const { username } = await register();
    const body = { identifier: username, password };
    const { answer, tree, all } = await traced('POST', '/auth/login', { body });
    expect(answer.status).toBe(200);
    expect(tree).toMatchObject({
      'POST /auth/login': { 'strategy local': {}, 'sign in': { INSERT: {}, COMMIT: {} } },
    });
    const insert = all.find(({ attributes }) =>
      String(attributes['db.query.text']).startsWith('INSERT INTO `sessions`'),
    );
    expect(insert).toMatchObject({
      kind: SpanKind.CLIENT,
      attributes: {
        'db.system.name': engine === 'sqlite' ? 'sqlite' : 'mysql',
        'db.operation.name': 'INSERT',
      },
    });
  });

  it('tells no name, password, token, address or id', async () => {
    const name = unusedName();
    const fields = { username: name, email: `${name}@example.com`, name: "Ada O'Hara \\' x" };
    const { tokens, id, token } = await register(fields);
    reset();
    const again = await traced('POST', '/auth/login', { body: { identifier: name, password } });
    await traced('POST', '/auth/login', { body: { identifier: name, password: 'wrong password' } });
    await traced('POST', '/auth/refresh', { body: { refreshToken: tokens.refreshToken } });
    await traced('PATCH', '/me', { token, body: { name: "Bob \\' O''Hara" } });
    await traced('GET', '/me/sessions', { token });
    const said = JSON.stringify(
      spans().map((span) => [span.name, span.attributes, span.events, span.status]),
    );
    expect(said.length).toBeGreaterThan(1000);
    const { accessToken, refreshToken } = again.answer.body;
    for (const secret of [name, password, 'wrong password', id, token, accessToken, refreshToken])
      expect(said).not.toContain(secret);
    expect(said).not.toMatch(/Hara|@example|127\.0\.0\.1|[0-9a-f]{8}-[0-9a-f]{4}-/);
  });

  it('that is refused is no error of the server', async () => {
    const body = { identifier: 'nobody', password: 'wrong password' };
    const { answer, all } = await traced('POST', '/auth/login', { body });
    expect(answer.status).toBe(401);
    expect(all.filter(({ status }) => status.code === SpanStatusCode.ERROR)).toEqual([]);
  });
});

it('a refresh is a use-case, too', async () => {
  const { tokens } = await register();
  const { refreshToken } = tokens;
  const { tree } = await traced('POST', '/auth/refresh', { body: { refreshToken } });
  expect(tree).toMatchObject({ 'POST /auth/refresh': { refresh: { UPDATE: {} } } });
});

it('what runs in the background makes no traces', async () => {
  reset();
  await ctx.db.sequelize.query('SELECT 1');
  await ctx.limits.purge();
  expect(spans()).toEqual([]);
});

describe('the text of a statement', () => {
  it.each([
    [
      'sqlite',
      "SELECT * FROM `users` WHERE a = 'x' AND b = 5;",
      'SELECT * FROM `users` WHERE a = ? AND b = ?;',
    ],
    ['sqlite', String.raw`SELECT 'x\' AND b = 'secret'`, 'SELECT ? AND b = ?'],
    ['mysql', String.raw`SELECT 'x\' AND b = 'secret'`, 'SELECT ? …'],
    ['mysql', String.raw`SELECT 'x\\', 'it''s', X'00ff', 1.5e3`, 'SELECT ?, ?, ?, ?'],
    ['mysql', 'SELECT "secret"', 'SELECT …'],
    [
      'sqlite',
      'UPDATE `t1` SET `a`=$1 WHERE `b2` IN ($2, $3)',
      'UPDATE `t1` SET `a`=$1 WHERE `b2` IN ($2, $3)',
    ],
  ])('of %s: %s', (system, sql, text) => {
    expect(withoutValues(system, sql)).toBe(text);
  });

  it('holds no value, whatever it is', () => {
    const { queryGenerator } = ctx.db.sequelize.getQueryInterface() as unknown as {
      queryGenerator: { selectQuery(table: string, options: object): string };
    };
    const value = oneof(
      string({ unit: 'binary' }),
      constantFrom("'", '\\', "\\'", "''", "\\\\'", '"', '--', '/*'),
    );
    check(
      property(array(value, { maxLength: 5 }), (parts) => {
        const name = `QQ${parts.join('QQ')}QQ`;
        const sql = queryGenerator.selectQuery('users', { where: { name, other: [name, 7] } });
        expect(withoutValues(engine, sql)).not.toContain('QQ');
      }),
      runs(),
    );
  });
});
