import { problems, type Action } from '#src/platform/http/problems';
export type ProblemCode = keyof typeof problems;

/** One field that is wrong: RFC 6901 pointer, stable code, sentence. The value is never repeated. */
export interface FieldError {
  pointer: string;
  code: string;
  message: string;
}

interface Details extends ErrorOptions {
  /** Further members of the answer. */
  members?: {
    /** What is wrong with this request, if the title does not say it. Nothing that was sent is repeated. */
    detail?: string;
    errors?: readonly FieldError[];
    required?: readonly string[];
    reason?: string;
    sessionStatus?: string;
    acrValues?: readonly string[];
    maxAge?: number;
    mfaToken?: string;
    factors?: readonly string[];
  };
  headers?: Readonly<Record<string, string>>;
}

/**
 * A refusal (RFC 9457). It may be thrown anywhere; `platform/http/error-handler` answers it. `cause` goes to the log, never to
 * the client.
 */
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

/** A problem in plain text: a sentence for each field that is wrong, or else the detail, or the title. */
export function sentenceOf({ message, members: { detail, errors = [] } }: Problem): string {
  return errors.length > 0
    ? errors
        .map(({ pointer, message }) =>
          pointer ? `${message} (${pointer.slice(1)}).` : `${message}.`,
        )
        .join(' ')
    : `${detail ?? message}.`;
}
