import { readFileSync } from 'node:fs';
import { Router, type RequestHandler } from 'express';
import { assetPath, type readManifest } from '#src/platform/http/assets';
import { lookOf } from '#src/platform/http/look';
import { refuseMethod } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';
import { escapeHtml } from '#src/platform/text';

type Manifest = NonNullable<ReturnType<typeof readManifest>>;

/** The screens, and how deep the addresses below each go. Which part of one is shown, the browser decides. */
const SCREENS = ['account', 'console'] as const;
type Screen = (typeof SCREENS)[number];
const BELOW = ['', '/:page', '/:page/:id'];
const pathsOf = (screen: Screen) => BELOW.map((below) => `/${screen}${below}`);

const screensOn = ({ hostedPages }: Pick<Settings, 'hostedPages'>, manifest?: Manifest) =>
  manifest ? SCREENS.filter((screen) => hostedPages.includes(screen)) : [];

/** Every path of `screenRoutes`. */
export const screenPaths = (settings: Settings, manifest?: Manifest): readonly string[] =>
  screensOn(settings, manifest).flatMap(pathsOf);

/**
 * The pages of `/account` and `/console`. They hold nothing private: their script asks the API, as the app of a stranger
 * would, and shows what that answers.
 */
export function screenRoutes(settings: Settings, manifest?: Manifest): Router {
  const router = Router();
  for (const screen of screensOn(settings, manifest)) {
    const handler = shell(settings, manifest!, screen);
    for (const path of pathsOf(screen))
      router
        .route(path)
        .get(handler)
        .all(refuseMethod(['get']));
  }
  return router;
}

const messagesOf = (area: string): object =>
  JSON.parse(
    readFileSync(new URL(`../../messages/${area}.en.json`, import.meta.url), 'utf8'),
  ) as object;

/** JSON inside HTML: no text in it ends the element. */
const embedded = (value: object) => JSON.stringify(value).replaceAll('<', '\\u003c');

function shell(settings: Settings, { style, scripts }: Manifest, screen: Screen): RequestHandler {
  const { basePath, publicUrl, brandName, brandUrl, brandSupport } = settings;
  const look = lookOf(settings);
  const [script, ...imports] = scripts[screen]!;
  const address = (file: string) => escapeHtml(assetPath(basePath, file));
  const data = {
    publicUrl,
    brandName,
    brandUrl,
    brandSupport,
    locale: 'en',
    messages: { ...messagesOf('ui'), ...messagesOf(screen) },
  };
  const html = [
    '<!doctype html><html lang="en" dir="ltr"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>${escapeHtml(brandName ?? 'Sallyport')}</title><style>${look.colors}</style>`,
    `<link rel="stylesheet" href="${address(style)}">`,
    ...imports.map((file) => `<link rel="modulepreload" href="${address(file)}">`),
    `<script type="module" src="${address(script)}"></script>`,
    `<script type="application/json" id="data">${embedded(data)}</script>`,
    `<body><header class="bar">${look.header}</header><div id="screen"></div>`,
    '<noscript><p class="noscript">This page needs JavaScript.</p></noscript></body></html>',
  ].join('');
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'sha256-${look.colorsHash}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  return (_req, res) => {
    res.setHeader('Content-Security-Policy', policy);
    res.type('html').send(html);
  };
}
