import { createHash } from 'node:crypto';
import type { RequestHandler, Response } from 'express';
import { escapeHtml } from '#src/platform/text';

/** The look of every page. It travels inside the page, and the policy allows it by its hash alone. */
const STYLE = [
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:4rem auto;padding:0 1.25rem;',
  'color:#1c1c1e;background:#fff}h1{font-size:1.5rem;line-height:1.25}',
  'code{background:#f0f0f3;padding:.1em .35em;border-radius:.25em;overflow-wrap:anywhere}',
  'dt{font-weight:600;margin-top:.75rem}dd{margin:0}a{color:#0a58ca}',
  'form{display:grid;gap:1rem;justify-items:start;margin:1.5rem 0}',
  'label{display:grid;gap:.25rem;font-weight:600;width:100%}',
  'input,button{font:inherit;padding:.5rem .75rem;border:1px solid #8e8e93;',
  'border-radius:.375rem;background:inherit;color:inherit;max-width:100%;box-sizing:border-box}',
  'button{background:#0a58ca;border-color:#0a58ca;color:#fff;cursor:pointer}',
  '@media(prefers-color-scheme:dark){body{color:#ececf0;background:#17171a}',
  'code{background:#2a2a2f}a{color:#7fb0ff}button{background:#2f6fdd;border-color:#2f6fdd}}',
].join('');
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

interface PageContent {
  title: string;
  /** HTML. Texts in it are escaped already. */
  body: string;
  /** Where a form of the page may go (CSP `form-action`). `'self'` for a page with a form; and a source, if it ends elsewhere. Default: `'none'`. */
  formAction?: "'none'" | "'self'" | `'self' ${string}`;
}

/** Escapes, and sets text between backticks as code. */
export const prose = (text: string): string =>
  escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

/** A whole page, and the Content-Security-Policy that it needs: no script runs, and nothing is loaded. */
export const renderPage = ({ title, body, formAction = "'none'" }: PageContent) => ({
  html: [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(title)}</title><style>${STYLE}</style><body>${body}</body></html>`,
  ].join(''),
  policy: [
    "default-src 'none'",
    `style-src 'sha256-${STYLE_HASH}'`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    `form-action ${formAction}`,
  ].join('; '),
});

export function sendPage(res: Response, page: PageContent): void {
  const { html, policy } = renderPage(page);
  res.setHeader('Content-Security-Policy', policy);
  res.type('html').send(html);
}

/** For answers that are the same for everybody. */
export const publicFor =
  (seconds: number): RequestHandler =>
  (_req, res, next) => {
    res.setHeader('Cache-Control', `public, max-age=${seconds}`);
    next();
  };
