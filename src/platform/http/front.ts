import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { Router, type RequestHandler } from 'express';
import { lifetimes } from '#src/lifetimes';
import { languageOf } from '#src/platform/http/language';
import { ICON_PATH, iconOf, LOGO_PATH, type Brand } from '#src/platform/http/look';
import { isNavigation } from '#src/platform/http/navigation';
import { publicFor, sendPage, type PageContext } from '#src/platform/http/page';
import { refuseMethod } from '#src/platform/http/route';
import { escapeHtml } from '#src/platform/text';
import { LOGO_TYPES } from '#src/platform/settings/brand';
import type { Language } from '#src/platform/messages/language';
import { SettingsError } from '#src/platform/settings/settings-error';

const MOST_LOGO_BYTES = 200_000;
/** An SVG that somebody opens by itself is a document. It may have styles, and runs no script. */
const LOGO_POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'";

/** Every path of `frontRoutes`. */
export const frontPaths = ({ brandLogo }: Brand): readonly string[] =>
  brandLogo === undefined ? [ICON_PATH] : [ICON_PATH, LOGO_PATH];

/** The default, and what `isNavigation` looks at: this answer is kept by caches. */
const VARY = 'Origin, Accept, Sec-Fetch-Mode, Upgrade-Insecure-Requests, Accept-Language';

/** The front page, for people. Programs are passed on: the front end of a tutorial may have a use for `/`. */
export function frontPage(ctx: PageContext): Router {
  const { basePath } = ctx.settings;
  const forPeople: RequestHandler = (req, res, next) => {
    res.setHeader('Vary', VARY);
    next(isNavigation(req) ? undefined : 'route');
  };
  return Router().get('/', forPeople, publicFor(lifetimes.publicPageSeconds), (req, res) =>
    sendPage(ctx, res, front(languageOf(ctx, req), basePath)),
  );
}

function front(language: Language, basePath: string) {
  const [heading, text, developers, docs] = (
    ['front.heading', 'front.text', 'front.developers', 'front.docs'] as const
  ).map((key) => escapeHtml(language.text('pages', key)));
  const body = [
    `<h1>${heading}</h1><p>${text}</p>`,
    `<p>${developers} <a href="${basePath}/docs">${docs}</a></p>`,
  ].join('');
  return { language, title: language.text('pages', 'front.title'), body };
}

/**
 * What programs find at `/`: where the documentation is. And the logo and the icon. `/favicon.ico` is no path of our own: an
 * app that embeds the server keeps its own.
 *
 * @throws {SettingsError} when BRAND_LOGO cannot be read or is too large
 */
export function frontRoutes(brand: Brand): Router {
  const router = Router();
  const page = (path: string, handler: RequestHandler) =>
    router
      .route(path)
      .get(publicFor(lifetimes.publicPageSeconds), handler)
      .all(refuseMethod(['get']));
  page('/', directory(brand));
  const { brandLogo } = brand;
  const own = brandLogo === undefined ? undefined : logo(brandLogo);
  if (own) page(LOGO_PATH, own);
  for (const path of [ICON_PATH, '/favicon.ico'])
    page(path, own ?? image(Buffer.from(iconOf(brand)), 'image/svg+xml'));
  return router;
}

const directory =
  ({ basePath, brandName = 'Sallyport' }: Brand): RequestHandler =>
  (_req, res) =>
    void res.json({
      name: brandName,
      documentation: `${basePath}/docs`,
      openapi: `${basePath}/openapi.json`,
    });

const logo = (file: string): RequestHandler =>
  image(read(file), LOGO_TYPES[extname(file).toLowerCase()]!);

const image =
  (bytes: Buffer, type: string): RequestHandler =>
  (_req, res) => {
    res.setHeader('Content-Security-Policy', LOGO_POLICY);
    res.type(type).send(bytes);
  };

function read(file: string): Buffer {
  let bytes: Buffer;
  try {
    bytes = readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SettingsError([`BRAND_LOGO names a file that cannot be read (${code})`]);
  }
  if (bytes.length > MOST_LOGO_BYTES)
    throw new SettingsError(['BRAND_LOGO names a file of more than 200 kB']);
  return bytes;
}
