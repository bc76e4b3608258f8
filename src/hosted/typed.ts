import { Problem } from '#src/platform/http/problem';

/** What was typed into a form, by the names of its fields. */
export type Typed = Readonly<Record<string, string>>;

/** Digits as people copy them. */
export const digitsOf = (typed = ''): string => typed.replaceAll(/\s/g, '');

/** What a script puts into a form. @throws {Problem} 400 `invalid_request` */
export function jsonIn(typed: string): unknown {
  try {
    return JSON.parse(typed);
  } catch (cause) {
    throw new Problem('invalid_request', { cause });
  }
}
