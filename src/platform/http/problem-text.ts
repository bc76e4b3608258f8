import { prose } from '#src/platform/http/page';
import { TWICE } from '#src/platform/http/parse';
import type { FieldError, Problem } from '#src/platform/http/problem';
import type { KeyOf } from '#src/platform/messages/areas';
import type { Language } from '#src/platform/messages/language';
import { escapeHtml } from '#src/platform/text';

/** The code of a field: a redirect URI that is not one of REDIRECT_URIS. */
export const UNKNOWN_APP = 'unknown_redirect_uri';

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
/** Those whose sentence is for developers. People read another one in English, too. */
const REWORDED: Readonly<Record<string, KeyOf<'problems'>>> = {
  too_small: 'field.too_short',
  too_big: 'field.too_big',
  [UNKNOWN_APP]: 'field.unknown_redirect_uri',
};

/** HTML: what is wrong with a field. English where the language has no words for it. */
export function fieldHtml(language: Language, { code, message }: FieldError): string {
  const [count = ''] = /\d+/.exec(message) ?? [];
  if (code === 'too_small' && count === '1') return reworded(language, 'field.required');
  if (message === TWICE) return reworded(language, 'field.repeated');
  if (Object.hasOwn(REWORDED, code)) return reworded(language, REWORDED[code]!, count);
  if (language.locale === 'en') return `${prose(message)}.`;
  if (Object.hasOwn(KNOWN, code)) return reworded(language, KNOWN[code]!, count);
  return `<span lang="en" dir="ltr">${prose(message)}.</span>`;
}

const reworded = (language: Language, key: KeyOf<'problems'>, count = '') =>
  escapeHtml(sentence(language, language.text('problems', key, { count })));

/** The title of a problem as a sentence. */
export const titleSentence = (language: Language, { code }: Pick<Problem, 'code'>): string =>
  sentence(language, language.text('problems', code));

const sentence = ({ locale }: Language, text: string) => text + (locale === 'ja' ? '。' : '.');

/** How long to wait, as people say it: whole minutes or hours, rounded up. Undefined: the problem does not say. */
export function waitOf({ headers }: Problem): { seconds: number } | undefined {
  const seconds = Number(headers['Retry-After']);
  if (!seconds) return undefined;
  const unit = seconds > 5400 ? 3600 : seconds > 90 ? 60 : 1;
  return { seconds: Math.ceil(seconds / unit) * unit };
}
