import { z, type ZodType } from 'zod';
import type { ZodOpenApiResponseObject, ZodOpenApiResponsesObject } from 'zod-openapi';
import { problemBody } from '#src/platform/http/error-handler';
import { etagHeader, headersFor } from '#src/platform/http/openapi-headers';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import { problems } from '#src/platform/http/problems';
import type { Route } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';

type Paths = Pick<Settings, 'basePath'>;

/** A string whose known values are listed. More may come, so that no generator may make a closed type of it. */
const openEnum = (description: string, values: readonly string[]) =>
  z.string().meta({
    description: `${description} Known values, more may come: ${values.map((value) => `\`${value}\``).join(', ')}.`,
    'x-extensible-enum': values,
  });

const ProblemBody = z
  .object({
    type: z.string().meta({
      example: '/problems/token_expired',
      description: 'Address of a page that explains this problem to a person.',
    }),
    title: z.string(),
    status: z.int().min(400).max(599),
    code: openEnum('Stable: decide by this.', Object.keys(problems)),
    action: openEnum('What to do next.', [
      ...new Set(Object.values(problems).map(([, action]) => action)),
    ]),
    requestId: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().meta({
            description: 'RFC 6901, into the body or the query.',
            example: '/password',
          }),
          code: z.string(),
          message: z.string(),
        }),
      )
      .optional(),
    detail: z.string().optional().meta({ description: 'What is wrong with the proof (DPoP).' }),
    required: z.array(z.string()).optional().meta({
      description: 'What is needed: one of these roles, or all of these permissions.',
    }),
    reason: openEnum('Why a refresh token was refused.', [
      'expired',
      'revoked',
      'reused',
      'unknown',
      'key',
      'missing',
    ]).optional(),
    sessionStatus: openEnum('A client may erase its tokens only at `ended`.', [
      'ended',
      'unknown',
    ]).optional(),
    acrValues: z
      .array(z.string())
      .optional()
      .meta({ description: 'What the session must prove: `aal2` for two factors (RFC 9470 §3).' }),
    maxAge: z
      .int()
      .optional()
      .meta({ description: 'It must have been proved in the last so many seconds.' }),
    mfaToken: z.string().optional().meta({ description: 'For `POST /auth/mfa`.' }),
    factors: z
      .array(z.string())
      .optional()
      .meta({
        description: 'Second factors that the user can answer with.',
        example: ['totp', 'recovery_code'],
      }),
  })
  .meta({ id: 'Problem', description: 'RFC 9457.' });

const PROBLEM = 'application/problem+json';
/** Every operation may answer what its own list of problems does not name: a proxy, a fault of ours. */
const unexpected: ZodOpenApiResponseObject = {
  id: 'UnexpectedProblem',
  description: 'Any other refusal or failure',
  headers: headersFor('default'),
  content: { [PROBLEM]: { schema: ProblemBody } },
};

/** The answers of one route: the one of success, its problems by status, and `default` for any other. */
export function responsesOf({ guards, spec }: Route, settings: Paths): ZodOpenApiResponsesObject {
  const status = String(spec.status ?? (spec.returns ? 200 : 204));
  const success = {
    [status]: {
      description: 'Done',
      headers: { ...headersFor(status), ...(spec.etag && etagHeader) },
      ...(spec.returns && {
        content: { [spec.text ?? 'application/json']: { schema: spec.returns } },
      }),
    },
  };
  if (spec.refusal)
    return {
      ...success,
      default: { ...inOtherWords(spec.refusal), headers: headersFor('default') },
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
    ([status, codes]) =>
      [
        status,
        {
          description: codes.map((code) => `\`${code}\`: ${problems[code][2]}`).join('  \n'),
          headers: headersFor(status, codes),
          content: spec.errorForm
            ? { 'application/json': { schema: spec.errorForm } }
            : { [PROBLEM]: { schema: ProblemBody, examples: examplesOf(codes, settings) } },
        },
      ] as const,
  );
  return { ...success, ...Object.fromEntries(answers), default: unexpected };
}

const inOtherWords = (refusal: Record<string, ZodType>) => ({
  description: 'Refused, in the words of the tutorial',
  content: Object.fromEntries(Object.entries(refusal).map(([type, schema]) => [type, { schema }])),
});

const REQUEST_ID = '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20';
const membersOf: Partial<Record<ProblemCode, Problem['members']>> = {
  invalid_grant: { reason: 'expired', sessionStatus: 'ended' },
  step_up_required: { acrValues: ['aal2'], maxAge: 300 },
  mfa_required: { mfaToken: 'Zk3…', factors: ['totp', 'recovery_code'] },
};
const examplesOf = (codes: readonly ProblemCode[], settings: Paths) =>
  Object.fromEntries(
    codes.map((code) => {
      const problem = new Problem(code, { members: membersOf[code] ?? {} });
      return [code, { value: problemBody(problem, REQUEST_ID, settings) }];
    }),
  );
