import { createHash } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

/** How the few pages of this server look. It travels in the page and is allowed by its hash alone. */
const STYLE =
  'body{font:1rem/1.5 system-ui,sans-serif;max-width:38rem;margin:4rem auto;padding:0 1.25rem;color:#1c1c1e;background:#fff}h1{font-size:1.5rem;line-height:1.25}code{background:#f0f0f3;padding:.1em .35em;border-radius:.25em;overflow-wrap:anywhere}dt{font-weight:600;margin-top:.75rem}dd{margin:0}a{color:#0a58ca}@media(prefers-color-scheme:dark){body{color:#ececf0;background:#17171a}code{background:#2a2a2f}a{color:#7fb0ff}}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (char) => escapes[char]!);
/** Escapes, and sets what stands in backticks as code. */
export const prose = (text: string): string => escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

/** Sends a small page under a policy that lets nothing run. `body` is HTML. */
export function sendPage(res: Response, title: string, body: string): void {
  res.setHeader('Content-Security-Policy', PAGE_POLICY);
  res
    .type('html')
    .send(
      `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title><style>${STYLE}</style><body>${body}</body></html>`,
    );
}

/** For what is the same for everybody. */
export const publicFor =
  (seconds: number): RequestHandler =>
  (_req, res, next) => {
    res.setHeader('Cache-Control', `public, max-age=${seconds}`);
    next();
  };
