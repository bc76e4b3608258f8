import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { isMembersOnly } from '#src/platform/http/route';
import { startAdapters } from '#test/support/compat';

type Content = Record<string, { schema: Record<string, unknown> }>;
interface Operation {
  operationId: string;
  summary: string;
  deprecated?: boolean;
  tags: string[];
  security: object[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, { description: string; content?: Content }>;
}
interface Document {
  paths: Record<string, Record<string, Operation>>;
  tags: { name: string }[];
}

async function described(DIALECTS: string) {
  const app = await startAdapters(DIALECTS);
  const document = (await app.ask('GET', '/openapi.json')).body as Document;
  const validator = new Validator();
  const { valid, errors } = await validator.validate(
    structuredClone(document) as unknown as Record<string, unknown>,
  );
  const resolved = validator.resolveRefs() as unknown as Document;
  return { ...app, setting: DIALECTS, document, resolved, valid, errors };
}
const none = await described('none');
const some = [
  await described('bezkoder,zohaib,devckano'),
  await described('grokonez'),
  await described('grokonez-react'),
  await described('bezkoder-cookies'),
];

it('names no adapter when none is on', () => {
  expect(JSON.stringify(none.document)).not.toMatch(/Dialect|Compatibility|tutorial|"deprecated"/i);
  const { paths } = none.document;
  const forms = Object.keys(paths).filter((path) => /urlencoded/.test(JSON.stringify(paths[path])));
  expect(forms.sort()).toEqual(['/oauth/introspect', '/oauth/revoke', '/oauth/token']); // as RFC 6749, 7009 and 7662 want
  expect(Object.keys(none.document.paths)).not.toContain('/');
});

describe.each(some)(
  'the document with $setting',
  ({ document, resolved, valid, errors, adapters, routes, say, register }) => {
    const own = adapters.flatMap(({ name, routes }) =>
      routes.map((route) => ({
        name,
        route,
        operation: document.paths[route.path]![route.method]!,
      })),
    );

    it('is OpenAPI 3.1 that its schema accepts, with the adapters after all that is ours', () => {
      expect([valid, errors]).toEqual([true, undefined]);
      expect(document.tags.slice(none.document.tags.length).map(({ name }) => name)).toEqual(
        adapters.map(({ name }) => `Compatibility: ${name}`),
      );
      const count = Object.values(document.paths).flatMap((path) => Object.values(path)).length;
      expect(count).toBe(routes.length + own.length);
      for (const [path, operations] of Object.entries(none.document.paths))
        expect(document.paths[path]).toEqual(operations);
    });

    it('gives every operation an id of its own', () => {
      const ids = Object.values(document.paths).flatMap((path) =>
        Object.values(path).map(({ operationId }) => operationId),
      );
      expect(new Set(ids).size).toBe(ids.length);
      for (const id of ids) expect(id).toMatch(/^[a-z][A-Za-z]+$/);
    });

    it('puts each route into the section of its adapter, deprecated, with who may call it and what it takes', () => {
      for (const { name, route, operation } of own) {
        expect(operation.tags).toEqual([`Compatibility: ${name}`]);
        expect(operation.deprecated).toBe(true);
        expect(operation.summary.length).toBeGreaterThan(5);
        expect(operation.security.length > 0).toBe(isMembersOnly(route));
        const media =
          route.method === 'post'
            ? ['application/json', 'application/x-www-form-urlencoded']
            : undefined;
        expect(
          operation.requestBody && Object.keys(operation.requestBody.content),
          route.path,
        ).toEqual(media);
        if (media)
          expect(operation.requestBody!.content[media[0]!]).toEqual(
            operation.requestBody!.content[media[1]!],
          );
      }
    });

    it('says what is text, and how it is refused', () => {
      for (const { name, route, operation } of own) {
        const statuses = Object.keys(operation.responses);
        expect(statuses).toEqual([String(route.spec.status ?? 200), 'default']);
        const text =
          (route.path.startsWith('/api/test/') && name !== 'grokonez') ||
          (route.path === '/api/auth/signup' && name.startsWith('grokonez'));
        expect(Object.keys(operation.responses[statuses[0]!]!.content!), route.path).toEqual([
          text ? 'text/html' : 'application/json',
        ]);
      }
    });

    it('has every refusal that is really answered', async () => {
      const { token } = await register();
      const shown = {
        authorization: `Bearer ${token}`,
        'x-access-token': token,
        cookie: `bezkoder-session=${token}`,
      };
      const wrong = {
        username: 'nobody',
        name: 'nobody',
        email: 'nobody@example.com',
        password: 'wrong wrong',
        refreshToken: 'none',
      };
      let refusals = 0;
      for (const { route } of own)
        for (const question of [
          {},
          { headers: shown },
          ...(route.method === 'post' ? [{ json: {} }, { json: wrong }, { json: [] }] : []),
        ]) {
          const { status, type, body, text } = await say(
            route.method.toUpperCase(),
            route.path,
            question,
          );
          const answer =
            resolved.paths[route.path]![route.method]!.responses[
              status < 400 ? status : 'default'
            ]!;
          const schema = answer.content?.[type.split(';')[0]!]?.schema;
          expect(schema, `${route.path} ${status} ${type}`).toBeDefined();
          expect(
            z.fromJSONSchema(schema!).safeParse(body).error,
            `${route.path} ${status} ${text}`,
          ).toBeUndefined();
          if (status >= 400) refusals++;
        }
      expect(refusals).toBeGreaterThan(own.length);
    });
  },
);
