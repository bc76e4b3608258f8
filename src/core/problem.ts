import { problems, type Action } from '#src/core/problems';
export type ProblemCode = keyof typeof problems;

/** One field that is wrong: RFC 6901 pointer, stable code, sentence. Never the value. */
export interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

interface Details extends ErrorOptions {
  /** Further members of the answer. */
  members?: { errors?: readonly FieldError[]; required?: readonly string[]; reason?: string; sessionStatus?: string };
  headers?: Readonly<Record<string, string>>;
}

/** Thrown anywhere, answered in one place (`http/render-problem`). `cause` goes to the log, never to the client. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly status: number;
  readonly action: Action;
  readonly members: NonNullable<Details['members']>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, { members = {}, headers = {}, ...options }: Details = {}) {
    const [status, action, title] = problems[code];
    super(title, options);
    this.name = 'Problem';
    this.code = code;
    this.status = status;
    this.action = action;
    this.members = members;
    this.headers = headers;
  }
}

/** A problem as one sentence, field by field where that is known. */
export function sentenceOf({ message, members: { errors = [] } }: Problem): string {
  return errors.length > 0
    ? errors.map(({ pointer, message }) => (pointer ? `${message} (${pointer.slice(1)}).` : `${message}.`)).join(' ')
    : `${message}.`;
}
