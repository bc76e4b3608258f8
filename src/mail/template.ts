import { config } from '#src/config';
import { escapeHtml } from '#src/core/text';

declare const ours: unique symbol;
/** A link into this server. Only `linkTo` makes one. */
export type Link = string & { readonly [ours]: true };

/** A paragraph, something to follow, or something to type. Plain text: markup in it is shown as it is. */
type Part = string | { label: string; link: Link } | { code: string };

/** One kind of mail, filled in. Text and HTML both come from it. */
export interface Template {
  readonly subject: string;
  readonly parts: readonly Part[];
  /** For how many seconds the mail is of use: so long is it tried. */
  readonly goodFor: number;
}

/**
 * A link into this server, from PUBLIC_URL alone: what a request says of its host has no say. `secrets` stand in the query, where a
 * page without a script can read them; our logs leave queries out, and our pages name nobody where their visitors came from.
 */
export function linkTo(path: string, secrets: Readonly<Record<string, string>> = {}): Link {
  const url = new URL(path, config.PUBLIC_URL);
  if (!path.startsWith('/') || url.origin !== config.PUBLIC_URL) throw new Error('A link in a mail must lead to this server.');
  for (const [name, secret] of Object.entries(secrets)) url.searchParams.set(name, secret);
  return url.href as Link;
}

/** What stands between two line ends stays there: no header, no line of its own. */
const oneLine = (text: string) => text.replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ').trim();
const escape = (text: string) => escapeHtml(oneLine(text));

function asText(part: Part): string {
  if (typeof part === 'string') return oneLine(part);
  return 'code' in part ? `    ${oneLine(part.code)}` : `${oneLine(part.label)}:\n${part.link}`;
}

// No colours but the reader's own, so light and dark are both right; nothing is fetched from anywhere.
const BUTTON =
  'display:inline-block;padding:.6em 1.2em;border:2px solid;border-radius:.4em;font-weight:600;color:inherit;text-decoration:none';
const CODE = 'font:600 1.6em ui-monospace,Menlo,Consolas,monospace;letter-spacing:.15em';
const PAGE = 'max-width:36em;margin:0 auto;padding:1.5em;font:16px/1.5 system-ui,-apple-system,Segoe UI,Roboto,sans-serif';

function asHtml(part: Part): string {
  if (typeof part === 'string') return `<p>${escape(part)}</p>`;
  if ('code' in part) return `<p style="${CODE}">${escape(part.code)}</p>`;
  return `<p><a href="${escape(part.link)}" style="${BUTTON}">${escape(part.label)}</a></p>`;
}

/** Both bodies of a mail, and its subject. */
export function render({ subject, parts }: Template): { subject: string; text: string; html: string } {
  const title = escape(subject);
  return {
    subject: oneLine(subject),
    text: `${parts.map(asText).join('\n\n')}\n`,
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><title>${title}</title><style>:root{color-scheme:light dark}</style></head>
<body><div style="${PAGE}">
<h1 style="font-size:1.25em">${title}</h1>
${parts.map(asHtml).join('\n')}
</div></body></html>
`,
  };
}
