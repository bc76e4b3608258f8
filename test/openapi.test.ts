import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startApp, password } from '#test/support/app';

const { ask, register, routes, url, strategies } = await startApp();
const { problems } = await import('#src/core/problems');
const { isMembersOnly } = await import('#src/http/route');

interface Content {
  content?: Record<string, { schema: Record<string, unknown>; examples?: Record<string, { value: object }> }>;
}
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string; schema: object }[];
  requestBody?: Content;
  responses: Record<string, Content & { description: string }>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string }[];
  components: { schemas: Record<string, Record<string, unknown>>; securitySchemes: Record<string, object> };
  servers: { url: string }[];
}
const { body: document, headers } = (await ask('GET', '/openapi.json')) as { body: Document; headers: Headers };
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({ name: `${method} ${path}`, path, method, operation })),
);
const documented = (path: string) => path.replaceAll(/:(\w+)/g, '{$1}');
const routeOf = (name: string) => routes.find((route) => `${route.method} ${documented(route.path)}` === name)!;

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1 that its schema accepts, and may be cached', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const { valid, errors } = await new Validator().validate(structuredClone(document) as unknown as Record<string, unknown>);
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('lists exactly the routes that are mounted', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(routes.map(({ method, path }) => `${method} ${documented(path)}`).sort());
  });

  it('gives every operation its own id, and every tag its place', () => {
    expect(new Set(operations.map(({ operation }) => operation.operationId)).size).toBe(operations.length);
    for (const { operation } of operations) expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(document.tags.map(({ name }) => name).sort()).toEqual(
      [...new Set(operations.flatMap(({ operation }) => operation.tags))].sort(),
    );
  });

  it('knows the scheme of every bearer strategy that is on', () => {
    const bearers = strategies.on.filter(({ kind }) => kind === 'bearer').map(({ name }) => name);
    expect(Object.keys(document.components.securitySchemes)).toEqual(bearers);
  });

  it('can show every problem there is', () => {
    const { properties } = document.components.schemas['Problem'] as { properties: Record<string, { enum: string[] }> };
    expect(properties['code']!.enum).toEqual(Object.keys(problems));
    expect(properties['action']!.enum.sort()).toEqual([...new Set(Object.values(problems).map(([, action]) => action))].sort());
  });
});

describe.each(operations)('$name', ({ name, path, operation }) => {
  const route = routeOf(name);

  it('has a summary, a tag and its parameters', () => {
    expect(operation.summary.length).toBeGreaterThan(5);
    expect(operation.tags).toEqual([route.spec.tag]);
    const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path').map((parameter) => parameter.name);
    expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter));
    expect(Boolean(operation.requestBody)).toBe(Boolean(route.spec.body));
  });

  it('asks for a token if it is for members, and only then', () => {
    expect(operation.security.length > 0).toBe(isMembersOnly(route));
    expect('401' in operation.responses && /token_missing/.test(operation.responses['401'].description)).toBe(isMembersOnly(route));
    for (const requirement of operation.security)
      for (const scheme of Object.keys(requirement)) expect(document.components.securitySchemes).toHaveProperty(scheme);
  });

  it('says how it refuses', () => {
    expect(operation.responses).toHaveProperty('400');
    if (route.spec.body) expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['413', '415']));
    for (const [status, answer] of Object.entries(operation.responses)) {
      if (Number(status) < 400) continue;
      expect(Object.keys(answer.content ?? {})).toEqual(['application/problem+json']);
      const codes = [...answer.description.matchAll(/`(\w+)`: /g)].map(([, code]) => code as keyof typeof problems);
      for (const code of codes) expect(problems[code]?.[0], code).toBe(Number(status));
      const { schema, examples } = answer.content!['application/problem+json']!;
      expect(schema).toEqual({ $ref: '#/components/schemas/Problem' });
      expect(Object.keys(examples!)).toEqual(codes);
      for (const { value } of Object.values(examples!)) expect(value).toMatchObject({ status: Number(status) });
    }
  });

  it('refuses fields that are not documented, at every depth', () => {
    const seen = new Set<unknown>();
    const visit = (schema: unknown): void => {
      if (typeof schema !== 'object' || schema === null || seen.has(schema)) return;
      seen.add(schema);
      const { $ref, properties, additionalProperties } = schema as { $ref?: string; properties?: object; additionalProperties?: unknown };
      if ($ref) visit(document.components.schemas[$ref.split('/').at(-1)!]);
      if (properties) expect(additionalProperties, JSON.stringify(schema)).toBe(false);
      for (const value of Object.values(schema)) visit(value);
    };
    visit(operation.requestBody?.content);
  });
});

describe('a real answer is what the document says:', async () => {
  const whole = new Validator();
  await whole.validate(structuredClone(document) as unknown as Record<string, unknown>);
  const resolved = whole.resolveRefs() as unknown as Document;
  const ada = await register({ email: 'ada@example.com', name: 'Ada' });
  const admin = await register({}, 'admin');
  const disposable = await register();
  const credentials = { identifier: ada.username ?? 'ada@example.com', password };

  const cases: [method: string, path: string, template: string, send: () => ReturnType<typeof ask>, status: number][] = [
    ['POST', '/auth/register', '/auth/register', () => ask('POST', '/auth/register', { body: { username: 'grace', password } }), 201],
    ['POST', '/auth/register', '/auth/register', () => ask('POST', '/auth/register', { body: { username: 'grace', password } }), 409],
    [
      'POST',
      '/auth/register',
      '/auth/register',
      () => ask('POST', '/auth/register', { body: { username: 'weak', password: 'password' } }),
      422,
    ],
    ['POST', '/auth/register', '/auth/register', () => ask('POST', '/auth/register', { body: { role: 'admin' } }), 400],
    [
      'POST',
      '/auth/register',
      '/auth/register',
      () => ask('POST', '/auth/register', { raw: 'a=1', headers: { 'content-type': 'text/plain' } }),
      415,
    ],
    ['POST', '/auth/register', '/auth/register', () => ask('POST', '/auth/register', { body: { name: 'x'.repeat(17_000) } }), 413],
    ['POST', '/auth/login', '/auth/login', () => ask('POST', '/auth/login', { body: credentials }), 200],
    ['POST', '/auth/login', '/auth/login', () => ask('POST', '/auth/login', { body: { ...credentials, password: 'wrong' } }), 401],
    ['GET', '/me', '/me', () => ada.ask('GET', '/me'), 200],
    ['GET', '/me', '/me', () => ask('GET', '/me'), 401],
    ['GET', '/me', '/me', () => ask('GET', '/me', { token: 'x.y.z' }), 401],
    ['GET', '/me', '/me', () => ada.ask('GET', '/me?x=1'), 400],
    ['PATCH', '/me', '/me', () => ada.ask('PATCH', '/me', { body: { name: null } }), 200],
    ['PATCH', '/me', '/me', () => ada.ask('PATCH', '/me', { body: { username: 'grace' } }), 409],
    ['DELETE', '/me', '/me', () => disposable.ask('DELETE', '/me', { body: { password: 'wrong' } }), 401],
    ['DELETE', '/me', '/me', () => disposable.ask('DELETE', '/me', { body: { password } }), 204],
    ['GET', '/admin/users', '/admin/users', () => admin.ask('GET', '/admin/users?limit=2'), 200],
    ['GET', '/admin/users', '/admin/users', () => ada.ask('GET', '/admin/users'), 403],
    ['GET', '/admin/users', '/admin/users', () => admin.ask('GET', '/admin/users?limit=0'), 400],
    ['GET', '/livez', '/livez', () => ask('GET', '/livez'), 200],
    ['GET', '/readyz', '/readyz', () => ask('GET', '/readyz'), 200],
  ];
  it.each(cases)('%s %s', async (method, _path, template, send, expected) => {
    const { status, body, headers, text } = await send();
    expect(status, text).toBe(expected);
    const described = resolved.paths[template]![method.toLowerCase()]!.responses[status];
    expect(described, `${status} is not documented`).toBeDefined();
    const type = headers.get('content-type')?.split(';')[0];
    if (status === 204) return expect([text, described!.content]).toEqual(['', undefined]);
    const schema = described!.content![type!]!.schema;
    const { error } = z.fromJSONSchema(schema).safeParse(body);
    expect(error).toBeUndefined();
    if (status >= 400) expect(described!.description).toContain(`\`${body.code}\`:`);
  });
});

describe('GET /problems/<code>', () => {
  it.each(Object.keys(problems))('%s is explained to a person', async (code) => {
    const { status, text, headers } = await ask('GET', `/problems/${code}`);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toMatch(/^text\/html/);
    expect(text).toContain(`<code>${code}</code>`);
    expect(text).toContain(`<h1>`);
    expect(text).not.toMatch(/undefined|`/);
  });

  it.each([
    '__proto__',
    'constructor',
    'toString',
    'hasOwnProperty',
    'nope',
    'TOKEN_EXPIRED',
    '%00',
    '..%2f',
    '<script>alert(1)<%2fscript>',
    'x'.repeat(3000),
  ])('%s does not exist', async (code) => {
    const { status, body } = await ask('GET', `/problems/${code}`);
    expect([status, body.code]).toEqual([404, 'not_found']);
  });
  it('cannot be changed', async () => {
    const { status, headers } = await ask('POST', '/problems/busy', { body: {} });
    expect([status, headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await ask('GET', '/problems/%')).status).toBe(400);
    expect((await fetch(`${url}/problems/busy`, { method: 'HEAD' })).status).toBe(200);
  });
});
