import { z, type ZodType } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiOverride,
  type ZodOpenApiPathItemObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiSecuritySchemeObject,
} from 'zod-openapi';
import { headerComponents } from '#src/platform/http/openapi-headers';
import { responsesOf } from '#src/platform/http/openapi-responses';
import type { Route, Spec } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';

type Urls = Pick<Settings, 'publicUrl' | 'basePath'>;

const tags: Record<string, string> = {
  Authentication: 'Sign up, sign in, get new tokens, sign out.',
  Account: 'The signed-in user: names, password, sessions, linked providers, API keys.',
  Recovery: 'Confirm an e-mail address, undo a change of it, choose a new password.',
  Administration: 'Manage users. Needs the role `admin`.',
  Operations: 'For monitoring and for other services.',
  Services: 'For other services and for OAuth clients.',
};
const isCompatibility = (tag: string): boolean => !Object.hasOwn(tags, tag);
const COMPATIBILITY =
  'The routes of a tutorial, for its front end. Deprecated: new clients use the other sections.';

const IfMatch = z.strictObject({
  'If-Match': z.string().optional().meta({
    description:
      'The `ETag` of the state that you have seen. If there is another one by now, nothing is changed and the answer is `precondition_failed`. Without it, the last change wins.',
  }),
});

export type OpenApiDocument = ReturnType<typeof createDocument>;

interface Source {
  routes: readonly Route[];
  version: string;
  settings: Urls;
  /** Bodies of the requests that this server sends, by name. */
  webhooks: Record<string, ZodType>;
  securitySchemes: Record<string, ZodOpenApiSecuritySchemeObject>;
}

/**
 * The OpenAPI 3.1 document: a pure function of the routes that are mounted. Inputs are closed. Objects in answers are
 * open, because an answer may get new members.
 */
export function openapi({
  routes,
  version,
  settings,
  webhooks,
  securitySchemes,
}: Source): OpenApiDocument {
  refuseSameIds(routes);
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route, settings) };
  }
  return createDocument(
    {
      openapi: '3.1.0',
      info: {
        title: 'Sallyport',
        version,
        description:
          'Every refusal is a problem (RFC 9457): decide by `code`, do what `action` says.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: settings.publicUrl }],
      tags: tagsOf(routes),
      paths,
      webhooks: Object.fromEntries(Object.entries(webhooks).map(sentRequest)),
      components: { securitySchemes, headers: headerComponents },
    },
    { override: forGenerators },
  );
}

/**
 * Opens the objects in answers. Inputs lose `default`, which becomes part of the description: openapi-typescript takes
 * a field with a default for one that must be there. Zod's bounds of a safe integer say nothing to a client.
 */
function forGenerators({ jsonSchema, io }: Parameters<ZodOpenApiOverride>[0]): void {
  if (io === 'output' && jsonSchema.additionalProperties === false)
    delete jsonSchema.additionalProperties;
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
  if (io === 'input' && jsonSchema.default !== undefined) {
    const { description, default: value } = jsonSchema;
    const without = `Without it: \`${typeof value === 'string' ? value : JSON.stringify(value)}\`.`;
    jsonSchema.description = [description, without].filter(Boolean).join(' ');
    delete jsonSchema.default;
  }
}

/** A request to others, in the form of Standard Webhooks. It says what is sent, so its schema is one of an answer. */
const sentRequest = ([name, schema]: [string, ZodType]): [string, ZodOpenApiPathItemObject] => [
  name,
  {
    post: {
      summary: `The event ${name}`,
      requestBody: { required: true, content: { 'application/json': { schema } } },
      responses: { '2XX': { description: 'It is delivered. Every other answer is a failure.' } },
    },
  },
];

function refuseSameIds(routes: readonly Route[]): void {
  for (const [id, same] of Map.groupBy(routes, ({ spec }) => spec.operationId))
    if (same.length > 1) throw new Error(`Two routes have the operationId ${id}`);
}

/** Our own sections in their order, then those of compatibility adapters. */
function tagsOf(routes: readonly Route[]) {
  const used = new Set<string>(routes.map(({ spec }) => spec.tag));
  const own = Object.entries(tags).filter(([name]) => used.has(name));
  const more = [...used].filter(isCompatibility).map((name) => [name, COMPATIBILITY] as const);
  return [...own, ...more].map(([name, description]) => ({ name, description }));
}

function operation(route: Route, settings: Urls): ZodOpenApiOperationObject {
  const { guards, spec } = route;
  const notes = [spec.description, ...guards.map(({ doc }) => doc.note)];
  const description = notes.filter(Boolean).join(' ');
  const refused = new Set(guards.flatMap(({ doc }) => doc.refuses ?? []));
  return {
    operationId: spec.operationId,
    tags: [spec.tag],
    summary: spec.summary,
    ...(description && { description }),
    ...((spec.deprecated ?? isCompatibility(spec.tag)) && { deprecated: true }),
    security: guards
      .flatMap(({ doc }) => doc.security?.() ?? [])
      .filter((each) => !Object.keys(each).some((name) => refused.has(name))),
    requestParams: {
      ...(spec.params && { path: spec.params }),
      ...(spec.query && { query: spec.query }),
      ...headersOf(route),
    },
    ...(spec.body && {
      requestBody: { required: isNeeded(spec.body), content: bodyOf(spec, spec.body) },
    }),
    responses: responsesOf(route, settings),
  };
}

/** The request headers that the route and its guards read, besides those of authentication. */
function headersOf({ guards, spec, method }: Route) {
  const own = spec.etag && method !== 'get' ? [IfMatch] : [];
  const all = [...own, ...guards.flatMap(({ doc }) => doc.header ?? [])];
  return (
    all.length > 0 && {
      header: z.strictObject(Object.assign({}, ...all.map(({ shape }) => shape))),
    }
  );
}

/** No body at all counts as `{}`. */
const isNeeded = (schema: ZodType): boolean => !schema.safeParse({}).success;

/** Compatibility adapters take forms, too. */
const bodyOf = ({ form, refusal }: Spec, schema: ZodType) => ({
  ...(!form && { 'application/json': { schema } }),
  ...((form ?? refusal) && { 'application/x-www-form-urlencoded': { schema } }),
});
