import type { FieldError, Problem } from '#src/platform/http/problem';
import { escapeHtml } from '#src/platform/text';

/** What a person fills in. */
export interface Field {
  name: string;
  label: string;
  /** Default: `text`. */
  type?: 'text' | 'password' | 'email';
  /** HTML standard, §4.10.18.7. */
  autocomplete: string;
  /** What to know before one types. */
  hint?: string;
  /** What was typed before. A password is never shown again. */
  value?: string | undefined;
  maxLength: number;
  inputMode?: 'numeric';
  /** Default: it is required. */
  optional?: true;
  /** Words of the button that a script adds to a password. */
  reveal?: { show: string; hide: string };
}

/** What is wrong with a form, at its fields and in general, in HTML. Texts in it are escaped already. */
export interface Mistakes {
  fields: Readonly<Record<string, string>>;
  general?: string | undefined;
}
export const NO_MISTAKES: Mistakes = { fields: {} };

type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** Escaped. True stands for an attribute without a value; false and undefined leave it out. */
export const attributes = (given: Attributes): string =>
  Object.entries(given)
    .filter(([, value]) => value !== undefined && value !== false)
    .map(([name, value]) =>
      value === true ? ` ${name}` : ` ${name}="${escapeHtml(String(value))}"`,
    )
    .join('');

/** The fields of a form, each with what is wrong with it. The first that is wrong has the focus. */
export function renderFields(fields: readonly Field[], mistakes: Mistakes): string {
  const first = fields.find(({ name }) => mistakes.fields[name] !== undefined)?.name;
  return fields.map((field) => render(field, mistakes.fields[field.name], first)).join('');
}

function render(field: Field, mistake: string | undefined, first: string | undefined): string {
  const { name, label, type = 'text', hint, reveal } = field;
  const [hintId, mistakeId] = [hint && `${name}-hint`, mistake && `${name}-mistake`];
  const describedBy = [mistakeId, hintId].filter(Boolean).join(' ') || undefined;
  const input = attributes({
    id: name,
    name,
    type,
    autocomplete: field.autocomplete,
    value: type === 'password' ? undefined : field.value,
    maxlength: field.maxLength,
    inputmode: field.inputMode,
    required: !field.optional,
    autocapitalize: type === 'text' ? 'none' : undefined,
    spellcheck: type === 'text' ? 'false' : undefined,
    autofocus: name === first,
    'aria-describedby': describedBy,
    'aria-invalid': mistake === undefined ? undefined : 'true',
    'data-show': reveal?.show,
    'data-hide': reveal?.hide,
  });
  return [
    `<div class="field"><label for="${name}">${escapeHtml(label)}</label><input${input}>`,
    mistakeId ? `<p class="mistake" id="${mistakeId}">${mistake!}</p>` : '',
    hintId ? `<p class="hint" id="${hintId}">${escapeHtml(hint!)}</p>` : '',
    '</div>',
  ].join('');
}

/** What a form sends besides. */
export const renderHidden = (values: Readonly<Record<string, string | undefined>>): string =>
  Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<input${attributes({ type: 'hidden', name, value })}>`)
    .join('');

/** What is said first, because it is wrong. */
export const renderAlert = ({ general }: Mistakes): string =>
  general === undefined ? '' : `<p role="alert">${general}</p>`;

/** The members of a request that a problem names, with what is wrong with each, put into words by `say`. */
export function mistakesIn(
  { members: { errors = [] } }: Problem,
  say: (error: FieldError) => string,
): Record<string, string> {
  const found: Record<string, string> = {};
  for (const error of errors) {
    const name = error.pointer.split('/')[1] ?? '';
    found[name] = found[name] === undefined ? say(error) : `${found[name]} ${say(error)}`;
  }
  return found;
}
