import type { RequestHandler, Response } from 'express';
import type { Context } from '#src/context';
import type { Language } from '#src/platform/messages/language';
import { escapeHtml } from '#src/platform/text';

/** What pages need of an instance. */
export type PageContext = Pick<Context, 'look' | 'messages' | 'settings'>;

export interface PageContent {
  /** The language that it is written in. */
  language: Language;
  title: string;
  /** HTML. Texts in it are escaped already. */
  body: string;
  /** Where a form of the page may go (CSP `form-action`). `'self'` for a page with a form; and a source, if it ends elsewhere. Default: `'none'`. */
  formAction?: "'none'" | "'self'" | `'self' ${string}`;
  /** Addresses of scripts of this server. The page must work without them. */
  scripts?: readonly string[];
}

/** Escapes, and sets text between backticks as code. */
export const prose = (text: string): string =>
  escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');

const SCRIPT_POLICY = [
  "script-src 'self'",
  "connect-src 'self'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
];

/**
 * A whole page, and the Content-Security-Policy that it needs: nothing but icon and logo is loaded, and no script runs but
 * those that are named.
 */
export function renderPage(
  { look, settings }: PageContext,
  { language, title, body, formAction = "'none'", scripts = [] }: PageContent,
) {
  const { layout, style, styleHash, header } = look;
  const name = settings.brandName ? ` · ${settings.brandName}` : '';
  return {
    html: layout({
      lang: language.locale,
      dir: language.dir,
      title: escapeHtml(title + name),
      style,
      header,
      main: body + scripts.map(scriptTag).join(''),
      footer: look.footerOf(language),
    }),
    policy: [
      "default-src 'none'",
      `style-src 'sha256-${styleHash}'`,
      "img-src 'self'",
      ...(scripts.length > 0 ? SCRIPT_POLICY : []),
      "frame-ancestors 'none'",
      "base-uri 'none'",
      `form-action ${formAction}`,
    ].join('; '),
  };
}

const scriptTag = (address: string): string =>
  `<script type="module" src="${escapeHtml(address)}"></script>`;

/** A source of a policy (CSP 3 §2.3.1) that matches an address. That of an app is the scheme: `com.example.app:`. */
export function sourceOf(address: string): string {
  const { origin, protocol } = new URL(address);
  return /^https?:\/\/[\w.-]+(:\d+)?$/.test(origin) ? origin : protocol;
}

export function sendPage(ctx: PageContext, res: Response, page: PageContent): void {
  const { html, policy } = renderPage(ctx, page);
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
