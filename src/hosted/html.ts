import type { Visit } from '#src/hosted/page';
import {
  mistakesIn,
  NO_MISTAKES,
  renderAlert,
  renderFields,
  renderHidden,
  type Field,
  type Mistakes,
} from '#src/platform/http/fields';
import type { Problem } from '#src/platform/http/problem';
import { fieldHtml, titleSentence, waitOf } from '#src/platform/http/problem-text';
import type { KeyOf } from '#src/platform/messages/areas';
import { escapeHtml } from '#src/platform/text';

/** The address of another page, which goes on with the same app. */
export const pageAddress = ({ ctx, flow }: Visit, path: string): string =>
  ctx.settings.basePath + path + flow.query;

export const heading = (title: string, ...lines: (string | undefined)[]): string =>
  [`<h1>${escapeHtml(title)}</h1>`, ...lines.map((line) => (line ? paragraph(line) : ''))].join('');

export const paragraph = (text: string): string => `<p>${escapeHtml(text)}</p>`;

export const link = (visit: Visit, path: string, label: KeyOf<'sign-in'>): string =>
  `<a href="${escapeHtml(pageAddress(visit, path))}">${escapeHtml(visit.text(label))}</a>`;

interface Form {
  path: string;
  fields?: readonly Field[];
  hidden?: Readonly<Record<string, string | undefined>>;
  button: KeyOf<'sign-in'>;
  mistakes?: Mistakes;
  /** Attributes of the form, in HTML. */
  more?: string;
  /** It is one of several ways, and not the usual one. */
  other?: true;
}

export function form(visit: Visit, given: Form): string {
  const { path, fields = [], hidden = {}, button, mistakes = NO_MISTAKES, more = '' } = given;
  const inside = [
    renderHidden(hidden),
    renderFields(fields, mistakes),
    `<button${given.other ? ' class="other"' : ''}>${escapeHtml(visit.text(button))}</button>`,
  ];
  const action = escapeHtml(pageAddress(visit, path));
  return `${renderAlert(mistakes)}<form method="post" action="${action}"${more}>${inside.join('')}</form>`;
}

/**
 * What to tell of a problem. `known`: problems that a page puts into words of its own, and at one of its fields if they
 * are about that. `names`: the field in which members of a request are typed, if it has another name.
 */
export function mistakesOf(
  { language, text }: Visit,
  problem: Problem | undefined,
  known: Partial<Record<Problem['code'], { text: string; field?: string }>> = {},
  names: Readonly<Record<string, string>> = {},
): Mistakes {
  if (!problem) return NO_MISTAKES;
  const own = known[problem.code];
  const duration = waitOf(problem);
  const general = escapeHtml(
    duration ? text('wait', { duration }) : titleSentence(language, problem),
  );
  if (own?.field) return { fields: { [own.field]: escapeHtml(own.text) } };
  if (own) return { fields: {}, general: escapeHtml(own.text) };
  const found = mistakesIn(problem, (error) => fieldHtml(language, error));
  const fields = Object.fromEntries(
    Object.entries(found).map(([name, mistake]) => [names[name] ?? name, mistake]),
  );
  return Object.keys(fields).length > 0 ? { fields } : { fields, general };
}

/** A password as people type it, with a button that shows it. */
export const passwordField = (
  { text }: Visit,
  more: Pick<Field, 'autocomplete'> & Partial<Field>,
): Field => ({
  name: 'password',
  label: text('password'),
  type: 'password',
  maxLength: 1024,
  reveal: { show: text('show'), hide: text('hide') },
  ...more,
});

/** Six digits from a mail or an app. */
export const codeField = ({ text }: Visit, label: KeyOf<'sign-in'> = 'code'): Field => ({
  name: 'code',
  label: text(label),
  hint: text('six-digits'),
  autocomplete: 'one-time-code',
  inputMode: 'numeric',
  maxLength: 16,
});
