import { z, type ZodType } from 'zod';
import {
  createDocument,
  type ZodOpenApiOperationObject,
  type ZodOpenApiPathsObject,
  type ZodOpenApiResponsesObject,
  type ZodOpenApiSecuritySchemeObject,
} from 'zod-openapi';
import { Problem, type ProblemCode } from '#src/core/problem';
import { problems } from '#src/core/problems';
import { problemBody } from '#src/http/render-problem';
import type { Route } from '#src/http/route';

const codes = Object.keys(problems) as [ProblemCode, ...ProblemCode[]];

const ProblemBody = z
  .object({
    type: z.string().meta({ example: '/problems/token_expired', description: 'Explains this problem to a person.' }),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: z.enum(codes).meta({ description: 'Stable: decide by this.' }),
    action: z.enum([...new Set(Object.values(problems).map(([, action]) => action))]).meta({ description: 'What to do next.' }),
    requestId: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({ description: 'RFC 6901, into the body or the query.', example: '/password' }),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional(),
    required: z.array(z.string()).optional().meta({ description: 'Roles of which one is needed.' }),
    reason: z.enum(['expired', 'revoked', 'reused', 'unknown']).optional().meta({ description: 'Why a refresh token was refused.' }),
    sessionStatus: z.enum(['ended', 'unknown']).optional().meta({ description: 'Only `ended` allows a client to erase its tokens.' }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

/** The OpenAPI 3.1 document: a pure function of the routes that are mounted. */
export function openapi(
  routes: readonly Route[],
  version: string,
  server: string,
  securitySchemes: Record<string, ZodOpenApiSecuritySchemeObject>,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operation(route) };
  }
  return createDocument({
    openapi: '3.1.0',
    info: {
      title: 'Sallyport',
      version,
      description: 'Every refusal is a problem (RFC 9457): decide by `code`, do what `action` says.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    // First where the document came from: the API page may call nothing else, and may be open at another address than the public one.
    servers: [{ url: '/', description: 'Where this document is' }, { url: server }],
    tags: [...new Set(routes.map(({ spec }) => spec.tag))].map((name) => ({ name })),
    paths,
    components: { securitySchemes },
  });
}

function operation(route: Route): ZodOpenApiOperationObject {
  const { guards, spec } = route;
  const description = [spec.description, ...guards.map(({ doc }) => doc.note)].filter(Boolean).join(' ');
  return {
    operationId: `${route.method}${route.path.replaceAll(/[^a-zA-Z]+([a-zA-Z]?)/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: [spec.tag],
    summary: spec.summary,
    ...(description && { description }),
    security: guards
      .flatMap(({ doc }) => doc.security?.() ?? [])
      .filter((each) => !guards.some(({ doc }) => doc.refuses?.some((name) => name in each))),
    requestParams: { ...(spec.params && { path: spec.params }), ...(spec.query && { query: spec.query }) },
    ...(spec.body && { requestBody: { required: true, content: bodyOf(spec.body, spec.refusal !== undefined) } }),
    responses: responses(route),
  };
}

/** Dialects take forms, too. */
const bodyOf = (schema: ZodType, form: boolean) => ({
  'application/json': { schema },
  ...(form && { 'application/x-www-form-urlencoded': { schema } }),
});

const members = { invalid_grant: { reason: 'expired', sessionStatus: 'ended' } } as Partial<Record<ProblemCode, Problem['members']>>;
const example = (code: ProblemCode) =>
  [code, { value: problemBody(new Problem(code, { members: members[code] ?? {} }), '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20') }] as const;

function responses({ guards, spec }: Route): ZodOpenApiResponsesObject {
  const success = {
    [spec.status ?? (spec.returns ? 200 : 204)]: spec.returns
      ? { description: 'Done', content: { [spec.text ?? 'application/json']: { schema: spec.returns } } }
      : { description: 'Done' },
  };
  if (spec.refusal)
    return {
      ...success,
      default: {
        description: 'Refused, in the words of the tutorial',
        content: Object.fromEntries(Object.entries(spec.refusal).map(([type, schema]) => [type, { schema }])),
      },
    };
  const refusals = new Set<ProblemCode>([
    'invalid_request',
    'rate_limited',
    ...(spec.body ? (['payload_too_large', 'unsupported_media_type'] as const) : []),
    ...guards.flatMap(({ doc }) => doc.problems ?? []),
    ...(spec.problems ?? []),
  ]);
  const grouped = Map.groupBy(refusals, (code) => String(problems[code][0]));
  const answers = [...grouped].map(
    ([status, list]) =>
      [
        status,
        {
          description: list.map((code) => `\`${code}\`: ${problems[code][2]}`).join('  \n'),
          content: { 'application/problem+json': { schema: ProblemBody, examples: Object.fromEntries(list.map(example)) } },
        },
      ] as const,
  );
  return { ...success, ...Object.fromEntries(answers) };
}
