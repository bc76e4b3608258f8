import type { RequestHandler, Response } from 'express';
import { lookOf, type Brand } from '#src/platform/http/look';
import { escapeHtml } from '#src/platform/text';

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

/** A whole page, and the Content-Security-Policy that it needs: no script runs, and nothing but the logo is loaded. */
export function renderPage(brand: Brand, { title, body, formAction = "'none'" }: PageContent) {
  const { style, styleHash, header, footer, images } = lookOf(brand);
  const name = brand.brandName ? ` · ${brand.brandName}` : '';
  return {
    html: [
      '<!doctype html><html lang="en"><meta charset="utf-8">',
      '<meta name="viewport" content="width=device-width">',
      `<title>${escapeHtml(title + name)}</title><style>${style}</style>`,
      `<body><header>${header}</header><main>${body}</main><footer>${footer}</footer></body></html>`,
    ].join(''),
    policy: [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      ...images,
      "frame-ancestors 'none'",
      "base-uri 'none'",
      `form-action ${formAction}`,
    ].join('; '),
  };
}

export function sendPage(brand: Brand, res: Response, page: PageContent): void {
  const { html, policy } = renderPage(brand, page);
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
