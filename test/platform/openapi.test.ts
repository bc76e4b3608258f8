import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { problems } from '#src/platform/http/problems';
import { isMembersOnly } from '#src/platform/http/route';
import { startApp, password } from '#test/support/app';

const PUBLIC_URL = 'https://auth.example';
const { ctx, ask, register, routes, url } = await startApp({
  PUBLIC_URL,
  REDIRECT_URIS: 'https://app.example/signed-in',
  GITHUB_CLIENT_ID: 'id',
  GITHUB_CLIENT_SECRET: 'of the app',
});

type Schema = Record<string, unknown>;
interface Content {
  content?: Record<string, { schema: Schema; examples?: Record<string, { value: object }> }>;
}
interface Response extends Content {
  description: string;
  headers: Record<string, { $ref: string }>;
}
interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  security: Record<string, string[]>[];
  parameters?: { in: string; name: string; schema: object }[];
  requestBody?: Content;
  responses: Record<string, Response>;
}
interface Document {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string; description: string }[];
  components: {
    schemas: Record<string, Schema>;
    responses: Record<string, Response>;
    headers: Record<string, { description: string; schema: object }>;
    securitySchemes: Record<string, object>;
  };
  servers: { url: string }[];
}
const { body: document, headers } = (await ask('GET', '/openapi.json')) as {
  body: Document;
  headers: Headers;
};
const { components } = document;
const operations = Object.entries(document.paths).flatMap(([path, item]) =>
  Object.entries(item).map(([method, operation]) => ({
    name: `${method} ${path}`,
    path,
    method,
    operation,
  })),
);
const documented = (path: string) => path.replaceAll(/:(\w+)/g, '{$1}');
const routeOf = (name: string) =>
  routes.find((route) => `${route.method} ${documented(route.path)}` === name)!;

/** Every schema in there, at every depth, those of components included. */
function schemasIn(root: unknown): Schema[] {
  const seen = new Set<unknown>();
  const visit = (schema: unknown): void => {
    if (typeof schema !== 'object' || schema === null || seen.has(schema)) return;
    seen.add(schema);
    const { $ref } = schema as { $ref?: string };
    if ($ref) visit(components.schemas[nameIn($ref)]);
    for (const value of Object.values(schema)) visit(value);
  };
  visit(root);
  return [...seen] as Schema[];
}
/** The name of the component that a reference leads to. */
const nameIn = ($ref: string) => $ref.split('/').at(-1)!;
/** The codes that a description lists. */
const codesOf = ({ description }: Response) =>
  [...description.matchAll(/`(\w+)`: /g)].map(([, code]) => code as keyof typeof problems);

/** What an answer to too many requests says. */
const LIMITED = ['Retry-After', 'RateLimit', 'RateLimit-Policy'];
const TAGS = ['Authentication', 'Account', 'Recovery', 'Administration', 'Operations', 'Services'];

describe('GET /openapi.json', () => {
  it('is OpenAPI 3.1 that its schema accepts, and may be cached', async () => {
    expect(document.openapi).toMatch(/^3\.1\./);
    const { valid, errors } = await new Validator().validate(
      structuredClone(document) as unknown as Record<string, unknown>,
    );
    expect(errors).toBeUndefined();
    expect(valid).toBe(true);
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('lists exactly the routes that are mounted', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual(
      routes.map(({ method, path }) => `${method} ${documented(path)}`).sort(),
    );
  });

  it('gives every operation the id that its route names, and each only once', () => {
    for (const { name, operation } of operations) {
      expect(operation.operationId, name).toBe(routeOf(name).spec.operationId);
      expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    }
    const ids = operations.map(({ operation }) => operation.operationId);
    expect(new Set(ids).size).toBe(operations.length);
  });

  it('has six sections in their order, each described', () => {
    const used = new Set(operations.flatMap(({ operation }) => operation.tags));
    const names = document.tags.map(({ name }) => name);
    expect(names).toEqual(TAGS);
    expect([...used].sort()).toEqual([...TAGS].sort());
    for (const { description } of document.tags) expect(description.length).toBeGreaterThan(20);
  });

  it('names PUBLIC_URL as the server', () => {
    expect(document.servers).toEqual([{ url: PUBLIC_URL }]);
  });

  it('knows the scheme of every bearer strategy that is on, and of services', () => {
    const bearers = ctx.strategies.on
      .filter(({ kind }) => kind === 'bearer')
      .map(({ name }) => name);
    expect(Object.keys(components.securitySchemes)).toEqual([...bearers, 'service']);
  });

  it('lists every problem and action there is, and lets more come', () => {
    const { properties } = components.schemas['Problem'] as { properties: Record<string, Schema> };
    const actions = [...new Set(Object.values(problems).map(([, action]) => action))];
    for (const [member, values] of [
      ['code', Object.keys(problems)],
      ['action', actions],
    ] as const) {
      const { type, enum: closed, 'x-extensible-enum': open, description } = properties[member]!;
      expect([type, closed, open], member).toEqual(['string', undefined, values]);
      for (const value of values) expect(description).toContain(`\`${value}\``);
    }
    for (const member of ['reason', 'sessionStatus'])
      expect(properties[member], member).toMatchObject({
        type: 'string',
        'x-extensible-enum': expect.arrayContaining(['unknown']),
      });
    const nodes = schemasIn(components.schemas['Problem']);
    expect(nodes.filter((node) => 'enum' in node || 'const' in node)).toEqual([]);
  });

  it('says what any other refusal looks like, and what each header means', () => {
    expect(components.responses['UnexpectedProblem']).toMatchObject({
      description: expect.stringMatching(/\w/),
      content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
    });
    const named = Object.keys(components.headers);
    expect(named).toEqual(expect.arrayContaining(['X-Request-Id', 'WWW-Authenticate', ...LIMITED]));
    for (const { description, schema } of Object.values(components.headers)) {
      expect(description.length).toBeGreaterThan(5);
      expect(schema).toHaveProperty('type');
    }
  });
});

describe('a body that may be given in several ways', () => {
  const alternatives = (name: string, how: 'oneOf' | 'anyOf') => {
    const schema = components.schemas[name]!;
    expect(Object.keys(schema).filter((key) => /^(type|properties|required)$/.test(key))).toEqual(
      [],
    );
    return (schema[how] as { properties: object; required: string[] }[]).map((each) => ({
      required: each.required,
      fields: Object.keys(each.properties),
    }));
  };
  const bodyOf = (path: string) =>
    document.paths[path]!['post']!.requestBody!.content!['application/json']!.schema;

  it('signs in with exactly one of identifier, username and e-mail address', () => {
    expect(bodyOf('/auth/login')).toEqual({ $ref: '#/components/schemas/Credentials' });
    expect(alternatives('Credentials', 'oneOf')).toEqual(
      ['identifier', 'username', 'email'].map((name) => ({
        required: [name, 'password'],
        fields: [name, 'password', 'device'],
      })),
    );
  });

  it('signs up with a username, an e-mail address or both', () => {
    expect(bodyOf('/auth/register')).toEqual({ $ref: '#/components/schemas/Registration' });
    expect(alternatives('Registration', 'anyOf')).toEqual(
      ['username', 'email'].map((name) => ({
        required: [name, 'password'],
        fields: ['username', 'email', 'password', 'name', 'device'],
      })),
    );
  });

  it('confirms an address with a token, or with the address and a code', () => {
    expect(bodyOf('/auth/email/verify')).toEqual({
      $ref: '#/components/schemas/EmailVerification',
    });
    expect(alternatives('EmailVerification', 'oneOf')).toEqual([
      { required: ['token'], fields: ['token', 'password'] },
      { required: ['email', 'code'], fields: ['email', 'code', 'password'] },
    ]);
  });
});

/** A service authenticates there, a public client does not. RFC 6749 §3.2: parameters that are not known are ignored. */
const MAY_AUTHENTICATE = ['/oauth/revoke', '/oauth/token'];

describe.each(operations)('$name', ({ name, path, operation }) => {
  const route = routeOf(name);
  const statuses = Object.entries(operation.responses).filter(([status]) => status !== 'default');
  const refusals = statuses.filter(([status]) => Number(status) >= 400);
  const successes = statuses.filter(([status]) => Number(status) < 400);

  it('has a summary, a tag and its parameters', () => {
    expect(operation.summary.length).toBeGreaterThan(5);
    expect(operation.tags).toEqual([route.spec.tag]);
    const inPath = (operation.parameters ?? [])
      .filter((parameter) => parameter.in === 'path')
      .map((parameter) => parameter.name);
    expect(inPath).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter));
    expect(Boolean(operation.requestBody)).toBe(Boolean(route.spec.body));
  });

  it('asks for a token if it is for members, and only then', () => {
    expect(operation.security.length > 0).toBe(isMembersOnly(route));
    expect(
      '401' in operation.responses &&
        /token_missing|invalid_client/.test(operation.responses['401'].description),
    ).toBe(isMembersOnly(route) || MAY_AUTHENTICATE.includes(path));
    for (const requirement of operation.security)
      for (const scheme of Object.keys(requirement))
        expect(components.securitySchemes).toHaveProperty(scheme);
  });

  it('says how it refuses', () => {
    expect(operation.responses).toHaveProperty('400');
    if (route.spec.body)
      expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(['413', '415']));
    for (const [status, answer] of refusals) {
      const codes = codesOf(answer);
      for (const code of codes) expect(problems[code]?.[0], code).toBe(Number(status));
      if (route.spec.errorForm) {
        expect(Object.keys(answer.content ?? {})).toEqual(['application/json']);
        continue;
      }
      expect(Object.keys(answer.content ?? {})).toEqual(['application/problem+json']);
      const { schema, examples } = answer.content!['application/problem+json']!;
      expect(schema).toEqual({ $ref: '#/components/schemas/Problem' });
      expect(Object.keys(examples!)).toEqual(codes);
      for (const { value } of Object.values(examples!))
        expect(value).toMatchObject({ status: Number(status) });
    }
    const { default: unexpected } = operation.responses;
    expect(unexpected).toEqual({ $ref: '#/components/responses/UnexpectedProblem' });
  });

  it('names the headers of its answers', () => {
    const named = (response: Response) =>
      Object.entries(response.headers).map(([header, { $ref }]) => {
        expect($ref).toBe(`#/components/headers/${header}`);
        return header;
      });
    const { default: _, ...own } = operation.responses;
    for (const [status, answer] of Object.entries(own)) {
      const isChallenged =
        status === '401' ||
        (status === '403' &&
          codesOf(answer).some((code) => ['forbidden', 'step_up_required'].includes(code)));
      const expected = [
        'X-Request-Id',
        ...(isChallenged ? ['WWW-Authenticate'] : []),
        ...(status.startsWith('30') ? ['Location'] : []),
        ...(status.startsWith('20') && route.spec.etag ? ['ETag'] : []),
        ...(status === '429' ? LIMITED : []),
        ...(status === '503' ? ['Retry-After'] : []),
      ];
      expect(named(answer).sort(), status).toEqual(expected.sort());
    }
    expect(named(components.responses['UnexpectedProblem']!)).toEqual(['X-Request-Id']);
  });

  it('refuses fields that are not documented, at every depth', () => {
    const parameters = operation.parameters?.map(({ schema }) => schema);
    for (const schema of schemasIn([operation.requestBody?.content, parameters]))
      if ('properties' in schema && !isOfBrowser(schema) && !MAY_AUTHENTICATE.includes(path))
        expect(schema['additionalProperties'], JSON.stringify(schema)).toBe(false);
  });

  it('may answer more than is documented, at every depth', () => {
    const contents = Object.values(operation.responses).map(({ content }) => content);
    for (const schema of schemasIn(contents))
      expect(schema['additionalProperties'], JSON.stringify(schema)).not.toBe(false);
  });

  it('names its body and its answer, for generators of clients', () => {
    const contents = [operation.requestBody, ...successes.map(([, answer]) => answer)];
    for (const each of contents)
      for (const { schema } of Object.values(each?.content ?? {}))
        expect(Object.keys(schema)).toEqual(['$ref']);
  });
});

/** What a browser or phone writes, not a client: WebAuthn adds members (`additionalProperties: {}`). */
const isOfBrowser = ({ properties }: Record<string, unknown>) =>
  ['rawId', 'clientDataJSON'].some((name) => name in (properties as object));

describe('a real answer is what the document says:', async () => {
  const whole = new Validator();
  await whole.validate(structuredClone(document) as unknown as Record<string, unknown>);
  const resolved = whole.resolveRefs() as unknown as Document;
  const ada = await register({ email: 'ada@example.com', name: 'Ada' });
  const admin = await register({}, 'admin');
  const disposable = await register();
  const credentials = { identifier: ada.username ?? 'ada@example.com', password };

  const weak = { username: 'weak', password: 'password' };
  const large = { name: 'x'.repeat(17_000) };
  const text = { raw: 'a=1', headers: { 'content-type': 'text/plain' } };
  const signUp = (question: Parameters<typeof ask>[2]) => ask('POST', '/auth/register', question);
  const signIn = (body: object) => ask('POST', '/auth/login', { body });

  type Case = [method: string, path: string, status: number, send: () => ReturnType<typeof ask>];
  const cases: Case[] = [
    ['POST', '/auth/register', 201, () => signUp({ body: { username: 'grace', password } })],
    ['POST', '/auth/register', 409, () => signUp({ body: { username: 'grace', password } })],
    ['POST', '/auth/register', 422, () => signUp({ body: weak })],
    ['POST', '/auth/register', 400, () => signUp({ body: { role: 'admin' } })],
    ['POST', '/auth/register', 415, () => signUp(text)],
    ['POST', '/auth/register', 413, () => signUp({ body: large })],
    ['POST', '/auth/login', 200, () => signIn(credentials)],
    ['POST', '/auth/login', 401, () => signIn({ ...credentials, password: 'wrong' })],
    ['GET', '/me', 200, () => ada.ask('GET', '/me')],
    ['GET', '/me', 401, () => ask('GET', '/me')],
    ['GET', '/me', 401, () => ask('GET', '/me', { token: 'x.y.z' })],
    ['GET', '/me', 400, () => ada.ask('GET', '/me?x=1')],
    ['PATCH', '/me', 200, () => ada.ask('PATCH', '/me', { body: { name: null } })],
    ['PATCH', '/me', 409, () => ada.ask('PATCH', '/me', { body: { username: 'grace' } })],
    ['DELETE', '/me', 401, () => disposable.ask('DELETE', '/me', { body: { password: 'wrong' } })],
    ['DELETE', '/me', 204, () => disposable.ask('DELETE', '/me', { body: { password } })],
    ['GET', '/me/sessions', 200, () => ada.ask('GET', '/me/sessions')],
    ['GET', '/me/email', 200, () => ada.ask('GET', '/me/email')],
    ['GET', '/me/identities', 200, () => ada.ask('GET', '/me/identities')],
    ['GET', '/admin/users', 200, () => admin.ask('GET', '/admin/users?limit=2')],
    ['GET', '/admin/users', 403, () => ada.ask('GET', '/admin/users')],
    ['GET', '/admin/users', 400, () => admin.ask('GET', '/admin/users?limit=0')],
    ['GET', '/auth/strategies', 200, () => ask('GET', '/auth/strategies')],
    ['GET', '/.well-known/jwks.json', 200, () => ask('GET', '/.well-known/jwks.json')],
    ['GET', '/livez', 200, () => ask('GET', '/livez')],
    ['GET', '/readyz', 200, () => ask('GET', '/readyz')],
  ];
  it.each(cases)('%s %s %i', async (method, path, expected, send) => {
    const { status, body, headers, text } = await send();
    expect(status, text).toBe(expected);
    const described = resolved.paths[path]![method.toLowerCase()]!.responses[status];
    expect(described, `${status} is not documented`).toBeDefined();
    for (const header of Object.keys(described!.headers))
      expect(headers.has(header), header).toBe(true);
    const type = headers.get('content-type')?.split(';')[0];
    if (status === 204) return expect([text, described!.content]).toEqual(['', undefined]);
    const schema = described!.content![type!]!.schema;
    const { error } = z.fromJSONSchema(closed(schema) as Schema).safeParse(body);
    expect(error).toBeUndefined();
    if (status >= 400) expect(described!.description).toContain(`\`${body.code}\`:`);
  });
});

/** The same schema without room for members that are not documented: today's answers have none. */
function closed(schema: unknown): unknown {
  if (typeof schema !== 'object' || schema === null) return schema;
  if (Array.isArray(schema)) return schema.map(closed);
  const inner = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value)]),
  );
  return 'properties' in schema ? { ...inner, additionalProperties: false } : inner;
}

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
