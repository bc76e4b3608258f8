import { gzipSync } from 'node:zlib';
import { Router, type RequestHandler } from 'express';
import { assetPath, readManifest } from '#src/platform/http/assets';
import { languageOf } from '#src/platform/http/language';
import { iconLink } from '#src/platform/http/look';
import type { PageContext } from '#src/platform/http/page';
import { refuseMethod } from '#src/platform/http/route';
import type { Language } from '#src/platform/messages/language';
import type { Settings } from '#src/platform/settings/settings';
import { escapeHtml } from '#src/platform/text';

type Manifest = NonNullable<ReturnType<typeof readManifest>>;

/** The screens, and how deep the addresses below each go. Which part of one is shown, the browser decides. */
const SCREENS = ['account', 'console'] as const;
type Screen = (typeof SCREENS)[number];
/** The texts that each has. */
const TEXTS = {
  account: ['ui', 'account'],
  console: ['ui', 'console', 'operator'],
} as const;
const BELOW = ['', '/:page', '/:page/:id'];
const pathsOf = (screen: Screen) => BELOW.map((below) => `/${screen}${below}`);

const screensOn = ({ hostedPages }: Pick<Settings, 'hostedPages'>, manifest?: Manifest) =>
  manifest ? SCREENS.filter((screen) => hostedPages.includes(screen)) : [];

/** True for a screen that is on, and was bundled. */
export const hasScreen = (settings: Settings, screen: Screen): boolean =>
  screensOn(settings, readManifest()).includes(screen);

/** Every path of `screenRoutes`. */
export const screenPaths = (settings: Settings, manifest?: Manifest): readonly string[] =>
  screensOn(settings, manifest).flatMap(pathsOf);

/**
 * The pages of `/account` and `/console`. They hold nothing private: their script asks the API, as the app of a stranger
 * would, and shows what that answers.
 */
export function screenRoutes(ctx: PageContext, manifest?: Manifest): Router {
  const router = Router();
  for (const screen of screensOn(ctx.settings, manifest)) {
    const handler = shell(ctx, manifest!, screen);
    for (const path of pathsOf(screen))
      router
        .route(path)
        .get(handler)
        .all(refuseMethod(['get']));
  }
  return router;
}

/** JSON inside HTML: no text in it ends the element. */
const embedded = (value: object) => JSON.stringify(value).replaceAll('<', '\\u003c');

/** The page of a screen in a language. */
function page(
  { look, settings }: PageContext,
  manifest: Manifest,
  screen: Screen,
  language: Language,
): string {
  const { basePath, publicUrl, brandName, brandUrl, brandSupport } = settings;
  const [script, ...imports] = manifest.scripts[screen]!;
  const address = (file: string) => escapeHtml(assetPath(basePath, file));
  const { locale, dir } = language;
  const texts = TEXTS[screen].flatMap((area) => Object.entries(language.all(area)));
  const messages = Object.fromEntries(texts);
  const problems = language.all('problems');
  const brand = { brandName, brandUrl, brandSupport };
  const screens = screensOn(settings, manifest);
  const data = { publicUrl, ...brand, locale, screens, messages, problems };
  return [
    `<!doctype html><html lang="${locale}" dir="${dir}"><meta charset="utf-8">`,
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(brandName ?? 'Sallyport')}</title><style>${look.colors}</style>`,
    iconLink(settings),
    `<link rel="stylesheet" href="${address(manifest.style)}">`,
    ...imports.map((file) => `<link rel="modulepreload" href="${address(file)}">`),
    `<script type="module" src="${address(script)}"></script>`,
    `<script type="application/json" id="data">${embedded(data)}</script>`,
    `<body><a class="skip" href="#main">${escapeHtml(language.text('ui', 'ui.skip'))}</a>`,
    `<header class="bar">${look.header}</header><div id="screen"></div>`,
    `<noscript><p class="noscript">${escapeHtml(language.text('ui', 'ui.noScript'))}</p></noscript>`,
    '</body></html>',
  ].join('');
}

/** A screen in each language, made when somebody first asks for it: nothing else about a request changes it. */
function pagesOf(ctx: PageContext, manifest: Manifest, screen: Screen) {
  const made = new Map<string, { plain: Buffer; packed: Buffer }>();
  return (language: Language) => {
    const known = made.get(language.locale);
    if (known) return known;
    const plain = Buffer.from(page(ctx, manifest, screen, language));
    const fresh = { plain, packed: gzipSync(plain) }; // it holds no secret that its length could tell (BREACH)
    made.set(language.locale, fresh);
    return fresh;
  };
}

function shell(ctx: PageContext, manifest: Manifest, screen: Screen): RequestHandler {
  const pageIn = pagesOf(ctx, manifest, screen);
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'sha256-${ctx.look.colorsHash}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return (req, res) => {
    res.setHeader('Content-Security-Policy', policy);
    const isPacked = req.acceptsEncodings(['gzip', 'identity']) === 'gzip';
    const { plain, packed } = pageIn(languageOf(ctx, req));
    res.vary('Accept-Encoding');
    if (isPacked) res.setHeader('Content-Encoding', 'gzip');
    res.type('html').send(isPacked ? packed : plain);
  };
}
