import type { KeyOf } from '#src/platform/messages/areas';
import type { Language } from '#src/platform/messages/language';
import { message, type Text } from '#src/platform/messages/message';
import { template, type Template } from '#src/platform/template';
import type { Settings } from '#src/platform/settings/settings';
import type { Place } from '#src/platform/theme/layouts';
import { escapeHtml } from '#src/platform/text';

declare const trusted: unique symbol;
/** A link into this server. Only `linkTo` makes one. */
export type Link = string & { readonly [trusted]: true };

/**
 * What a link in a mail keeps: the app that began the sign-in, and the language of its page. It keeps neither challenge nor
 * state of the app. Anybody can have a mail sent to somebody else: they would end in the sign-in of the sender (login CSRF).
 */
export interface Onward {
  redirectUri?: string;
  ui_locales?: string;
}

/** A paragraph, a link, or a code to type. Plain text: markup in it is shown as it is. */
type Part = Text | { label: Text; link: Link } | { code: string };

/** Why somebody gets a mail. `given`: an address was given. `notice`: something about their account changed. */
type Reason = 'given' | 'asked' | 'invited' | 'notice' | 'sign-in';

/** A mail to be written. Text and HTML are both made from it. */
export interface Mail {
  /** Its kind, such as `reset-password`: all that logs and events say of it. Up to 32 characters. */
  readonly template: string;
  readonly subject: Text;
  /** Why its reader gets it: the last line says so. Default: `given`. */
  readonly reason?: Reason;
  readonly parts: readonly Part[];
  /** Delivery is given up after so many seconds. */
  readonly goodFor: number;
}

/**
 * A link into this server. It is built from PUBLIC_URL alone, never from the `Host` of a request. `secrets` go into the
 * query, where a page without a script can read them. Our logs leave queries out, and our pages send no referrer.
 *
 * @throws {Error} when the path leads out of PUBLIC_URL
 */
export function linkTo(
  { publicUrl }: Pick<Settings, 'publicUrl'>,
  path: string,
  secrets: Readonly<Record<string, string>> = {},
  onward: Onward = {},
): Link {
  const root = new URL(`${publicUrl}/`).href;
  const url = path.startsWith('/') ? URL.parse(`${publicUrl}${path}`) : null;
  if (!url?.href.startsWith(root) || url.href.startsWith(`${root}/`))
    throw new Error('A link in a mail must lead to this server.');
  for (const [name, value] of Object.entries({ ...secrets, ...onward }))
    url.searchParams.set(name, value);
  return url.href as Link;
}

/** Control characters and line ends become spaces: no text starts a header or a line of its own. */
const oneLine = (text: string) => text.replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ').trim();
const escape = (text: string) => escapeHtml(oneLine(text));

function asText(part: Part, language: Language): string {
  if (isText(part)) return oneLine(language.write(part));
  if ('code' in part) return `    ${oneLine(part.code)}`;
  return `${oneLine(language.write(part.label))}:\n${part.link}`;
}

const isText = (part: Part): part is Text => typeof part === 'string' || 'key' in part;

// Only the colours of the mail program, so that light and dark both work. Nothing is loaded from anywhere.
const BUTTON =
  'display:inline-block;padding:.6em 1.2em;border:2px solid;border-radius:.4em;font-weight:600;color:inherit;text-decoration:none';
const CODE = 'font:600 1.6em ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em';
const PAGE =
  'max-width:36em;margin:0 auto;padding:1.5em;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif';

function asHtml(part: Part, language: Language): string {
  if (isText(part)) return `<p>${escape(language.write(part))}</p>`;
  if ('code' in part) return `<p style="${CODE}" dir="ltr">${escape(part.code)}</p>`;
  return `<p><a href="${escape(part.link)}" style="${BUTTON}">${escape(language.write(part.label))}</a></p>`;
}

/** Who sends mails, for their readers. */
export type MailBrand = Pick<Settings, 'publicUrl' | 'brandName' | 'brandSupport'>;

const REASONS: Readonly<Record<Reason, KeyOf<'mails'>>> = {
  given: 'reason.given',
  asked: 'reason.asked',
  invited: 'reason.invited',
  notice: 'reason.notice',
  'sign-in': 'reason.sign-in',
};

/** Why somebody gets a mail, and where they find help. */
function reasonOf(brand: MailBrand, reason: Reason, language: Language): string {
  const { publicUrl, brandName, brandSupport: help } = brand;
  const { host } = new URL(publicUrl);
  const place = brandName ? `${brandName} (${host})` : host;
  const lines = [
    message('mails', REASONS[reason], { place }),
    ...(help ? [message('mails', 'help', { help })] : []),
  ];
  return lines.map((line) => language.write(line)).join(' ');
}

const HEADER = 'font-weight:600;margin:0 0 1.5em';
const FOOTER = 'font-size:.875em;margin:2em 0 0;padding:1em 0 0;border-top:1px solid';

const LAYOUT = template<Place>(`<!doctype html>
<html lang="{{lang}}" dir="{{dir}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>{{title}}</title><style>{{style}}</style></head>
<body><div style="${PAGE}">
{{header}}<h1 style="font-size:1.25em">{{title}}</h1>
{{main}}
<p style="${FOOTER}">{{footer}}</p>
</div></body></html>
`);

/** Subject and both bodies of a mail. */
export function render(
  brand: MailBrand,
  mail: Pick<Mail, 'subject' | 'reason' | 'parts'>,
  language: Language,
  layout: Template<Place> = LAYOUT,
): { subject: string; text: string; html: string } {
  const { brandName: name } = brand;
  const { parts } = mail;
  const subject = language.write(mail.subject);
  const reason = reasonOf(brand, mail.reason ?? 'given', language);
  const texts = parts.map((part) => asText(part, language));
  return {
    subject: oneLine(name ? `${name}: ${subject}` : subject),
    text: `${[...texts, `-- \n${oneLine(reason)}`].join('\n\n')}\n`,
    html: layout({
      lang: language.locale,
      dir: language.dir,
      title: escape(subject),
      style: ':root{color-scheme:light dark}',
      header: name ? `<p style="${HEADER}">${escape(name)}</p>\n` : '',
      main: parts.map((part) => asHtml(part, language)).join('\n'),
      footer: escape(reason),
    }),
  };
}
