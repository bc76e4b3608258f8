import { inWords } from '#src/lifetimes';
import type { FieldError, Problem, ProblemCode } from '#src/platform/http/problem';

/*
 * Front ends of tutorials show a refusal to whoever filled in their form. So it is said in sentences for people: what
 * is wrong, and what to do.
 */

const LABELS: Record<string, string> = {
  email: 'e-mail address',
  firstname: 'first name',
  lastname: 'last name',
  refreshToken: 'refresh token',
};
const labelOf = (field: string) => LABELS[field] ?? field.replaceAll('_', ' ');
const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** What the schemas say of missing and empty fields. */
const MISSING = ['required', 'too_small'];
/** What Zod says by itself is for programmers. */
const TECHNICAL = ['invalid_type', 'invalid_union', 'invalid_value', 'invalid_format', 'too_big'];

function fieldSentence({ pointer, code, message }: FieldError): string {
  const field = pointer.split('/')[1];
  if (code === 'dpop_not_supported') return `${message}.`;
  if (!field) return 'Please fill in the form.';
  const label = labelOf(field);
  if (MISSING.includes(code)) return `Please fill in your ${label}.`;
  if (TECHNICAL.includes(code)) return `Please check your ${label}.`;
  return `${capital(label)}: ${message}.`;
}

/** `Retry-After` in words, rounded up to minutes. */
function waiting({ headers }: Problem): string {
  const seconds = Number(headers['Retry-After'] ?? 60);
  return inWords(seconds > 60 ? Math.ceil(seconds / 60) * 60 : seconds);
}

const byCode: Partial<Record<ProblemCode, (problem: Problem) => string>> = {
  signup_closed: () =>
    'Sign-up is closed here. Ask those who run this service to make an account for you.',
  email_unverified: () =>
    'Your e-mail address is not confirmed yet. Open the link in the mail that we sent to you, then sign in again.',
  mfa_required: () =>
    'Your account is protected by a second factor, and this app cannot ask for it. Please sign in with another app.',
  rate_limited: (problem) =>
    `There were too many attempts. Please try again in ${waiting(problem)}.`,
  busy: () => 'The server is busy. Please try again in a moment.',
  unavailable: () => 'The server cannot answer right now. Please try again in a moment.',
};

/** A refusal in sentences for people, without names of fields. */
export function sentencesFor(problem: Problem): string {
  const { errors = [] } = problem.members;
  if (errors.length > 0) return [...new Set(errors.map(fieldSentence))].join(' ');
  return byCode[problem.code]?.(problem) ?? `${problem.message}.`;
}
