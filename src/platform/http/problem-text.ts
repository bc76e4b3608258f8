import { prose } from '#src/platform/http/page';
import type { FieldError } from '#src/platform/http/problem';
import type { KeyOf } from '#src/platform/messages/areas';
import type { Language } from '#src/platform/messages/language';
import { escapeHtml } from '#src/platform/text';

/** The mistakes that people make in forms, by the code of the field. All others are made by developers. */
const KNOWN: Readonly<Record<string, KeyOf<'problems'>>> = {
  required: 'field.required',
  unknown_field: 'field.unknown_field',
  too_short: 'field.too_short',
  too_common: 'field.too_common',
  contains_name: 'field.contains_name',
  too_guessable: 'field.too_guessable',
  breached: 'field.breached',
};

/** HTML: what is wrong with a field. English where the language has no words for it. */
export function fieldHtml(language: Language, { code, message }: FieldError): string {
  const key = Object.hasOwn(KNOWN, code) ? KNOWN[code] : undefined;
  const [count = ''] = /\d+/.exec(message) ?? [];
  if (language.locale === 'en') return `${prose(message)}.`;
  if (key) return `${escapeHtml(language.text('problems', key, { count }))}.`;
  return `<span lang="en" dir="ltr">${prose(message)}.</span>`;
}
