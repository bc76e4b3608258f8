import { z } from 'zod';
import { statusOf, UnknownRole } from '#src/compat/shared';
import { sentencesFor } from '#src/compat/sentences';
import type { Refusal } from '#src/platform/http/error-handler';
import type { Problem, ProblemCode } from '#src/platform/http/problem';

export const Refused = z
  .object({ message: z.string(), accessToken: z.null().optional() })
  .meta({ id: 'BezkoderRefusal' });
const answers: Partial<Record<ProblemCode, [status: number, message: string]>> = {
  username_taken: [400, 'Failed! Username is already in use!'],
  email_taken: [400, 'Failed! Email is already in use!'],
  invalid_credentials: [401, 'Invalid username or password!'],
  token_missing: [403, 'No token provided!'],
  token_expired: [401, 'Unauthorized! Access Token was expired!'],
  token_invalid: [401, 'Unauthorized!'],
  session_ended: [401, 'Unauthorized!'],
  user_disabled: [401, 'Unauthorized!'],
  // Not 401: the clients of this tutorial would refresh again, 400 times a second.
  invalid_grant: [403, 'Refresh token was expired. Please make a new signin request'],
};
const byRole: Record<string, string> = {
  moderator: 'Require Moderator Role!',
  admin: 'Require Admin Role!',
};

function answerTo(problem: Problem, path: string): [status: number, message: string] {
  const { code, members } = problem;
  if (problem instanceof UnknownRole) return [400, `Failed! Role does not exist = ${problem.role}`];
  if (code === 'invalid_request' && path === '/api/auth/refreshtoken')
    return [403, 'Refresh Token is required!'];
  if (members.reason === 'unknown') return [403, 'Refresh token is not in database!'];
  const required = members.required?.[0] ?? '';
  return answers[code] ?? [statusOf(problem), byRole[required] ?? sentencesFor(problem)];
}
export function refuse(problem: Problem, path: string): Refusal {
  const [status, message] = answerTo(problem, path);
  const noToken = problem.code === 'invalid_credentials' && { accessToken: null };
  return { status, body: { ...noToken, message } };
}
