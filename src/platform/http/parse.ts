import type { RequestHandler } from 'express';
import { z, type ZodType } from 'zod';
import { Problem, type FieldError } from '#src/platform/http/problem';

const Nothing = z.strictObject({});

interface Parts {
  body?: ZodType | undefined;
  query?: ZodType | undefined;
  params?: ZodType | undefined;
}

/** Replaces params, query and body by their parsed values. A query that is not declared must be empty. */
export function parse({ body, query = Nothing, params }: Parts): RequestHandler {
  const parts = Object.entries({ params, query, body }).filter(
    (part): part is ['params' | 'query' | 'body', ZodType] => part[1] !== undefined,
  );
  return (req, _res, next) => {
    for (const [part, schema] of parts) {
      // Almost every request has no query. Express would parse it for each reading.
      if (part === 'query' && schema === Nothing && !req.url.includes('?')) continue;
      const result = schema.safeParse(req[part] ?? {}, { reportInput: true });
      if (!result.success) throw invalidFields(result.error);
      // Express's req.query is a getter: it cannot be assigned.
      Object.defineProperty(req, part, {
        value: result.data,
        writable: true,
        configurable: true,
      });
    }
    next();
  };
}

/** What a caller in this process, or on the command line, gave. @throws {Problem} 400 `invalid_request` */
export function parsed<S extends ZodType>(schema: S, given: unknown): z.output<S> {
  const { data, error } = schema.safeParse(given);
  if (error) throw invalidFields(error);
  return data;
}

/** So many fields are named in an answer at most, each with so many characters. The client mends them and asks again. */
const [MAX_ERRORS, MAX_POINTER] = [20, 200];

/** 400 `invalid_request` that names the fields that are wrong. */
export const invalidFields = ({ issues }: z.ZodError): Problem => {
  const errors = issues.slice(0, MAX_ERRORS).flatMap(fieldErrors).slice(0, MAX_ERRORS);
  return new Problem('invalid_request', { members: { errors } });
};

/** For developers. A page says it in other words. */
export const TWICE = 'Give it once';

/** Where a text belongs, a list is a parameter of a query or a form that is there twice. */
export const isTwice = ({ code, input, ...issue }: z.core.$ZodIssue): boolean =>
  code === 'invalid_type' &&
  'expected' in issue &&
  issue.expected === 'string' &&
  Array.isArray(input);

/** A Zod issue for the client. Keys are repeated only if they look like field names; values never are. */
function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const at = (path: readonly PropertyKey[]) =>
    path
      .map((key) => `/${String(key)}`)
      .join('')
      .slice(0, MAX_POINTER);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.slice(0, MAX_ERRORS).map((key) => ({
      pointer: at([...issue.path, ...(/^\w{1,64}$/.test(key) ? [key] : [])]),
      code: 'unknown_field',
      message: 'This field is not known here',
    }));
  }
  const missing = issue.code === 'invalid_type' && issue.input === undefined;
  const custom = issue.code === 'custom' ? String(issue.params?.['code'] ?? 'invalid') : undefined;
  return [
    {
      pointer: at(issue.path),
      code: custom ?? (missing ? 'required' : issue.code),
      message: missing ? 'This field is required' : isTwice(issue) ? TWICE : issue.message,
    },
  ];
}
