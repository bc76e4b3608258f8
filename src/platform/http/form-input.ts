import { attributes, mistakesIn, type Field, type Mistakes } from '#src/platform/http/fields';
import type { Problem } from '#src/platform/http/problem';
import { fieldHtml, titleSentence } from '#src/platform/http/problem-text';
import type { Language } from '#src/platform/messages/language';
import type { Text } from '#src/platform/messages/message';
import { escapeHtml } from '#src/platform/text';

/** What a person fills in on the page of a link. */
export interface FormInput {
  label: Text;
  name: string;
  type: 'email' | 'password';
  autocomplete: string;
  maxLength: number;
}

export const fieldOf = (
  language: Language,
  input: FormInput,
  value: string | undefined,
): Field => ({
  ...input,
  label: language.write(input.label),
  value,
  ...(input.type === 'password' && {
    reveal: { show: language.text('sign-in', 'show'), hide: language.text('sign-in', 'hide') },
  }),
});

/** Tells a password manager whose password is chosen. It is not sent. */
export const whoseHtml = (whose: string | undefined): string =>
  whose === undefined
    ? ''
    : `<input${attributes({ type: 'text', value: whose, autocomplete: 'username', readonly: true, hidden: true })}>`;

/** What the person can correct in the form; undefined if nothing. */
export function mistakesOf(
  problem: Problem,
  { name }: FormInput,
  language: Language,
): Mistakes | undefined {
  if (problem.code !== 'invalid_request' && problem.code !== 'weak_password') return undefined;
  const { [name]: own, ...others } = mistakesIn(problem, (each) => fieldHtml(language, each));
  if (own) return { fields: { [name]: own } };
  const general = Object.values(others).join(' ');
  return {
    fields: {},
    general: general || escapeHtml(titleSentence(language, problem)),
  };
}
