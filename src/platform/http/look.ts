import { createHash } from 'node:crypto';
import type { Language } from '#src/platform/messages/language';
import type { Settings } from '#src/platform/settings/settings';
import { template, type Template } from '#src/platform/template';
import type { Place } from '#src/platform/theme/layouts';
import type { Theme } from '#src/platform/theme/read-theme';
import { escapeHtml } from '#src/platform/text';

/** What pages know of the operator. */
export type Brand = Pick<
  Settings,
  'basePath' | 'brandName' | 'brandColor' | 'brandUrl' | 'brandSupport' | 'brandLogo'
>;

const pageWith = (icon: string) =>
  [
    '<!doctype html><html lang="{{lang}}" dir="{{dir}}"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width">',
    `<title>{{title}}</title>${icon}<style>{{style}}</style>`,
    '<body><header>{{header}}</header><main>{{main}}</main><footer>{{footer}}</footer></body></html>',
  ].join('');

export const LOGO_PATH = '/brand/logo';
/** What a browser shows beside the title. */
export const ICON_PATH = '/brand/icon';
const ACCENT = '#0a58ca';

/** Black or white, whichever has more contrast on a color (WCAG 2.2, relative luminance): at least 4.5 to 1. */
export function textOn(color: string): '#000' | '#fff' {
  const [red, green, blue] = [1, 3, 5]
    .map((at) => Number.parseInt(color.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)) as [
    number,
    number,
    number,
  ];
  const luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  return 1.05 / (luminance + 0.05) > (luminance + 0.05) / 0.05 ? '#fff' : '#000';
}

const DARK =
  '--ink:#ececf1;--ground:#121216;--paper:#1d1d23;--line:#7d7d8a;--code:#2b2b33;--link:#8ab4ff;--wrong:#ff8b99';

/** The colors of every page, for light and dark. */
const colorsOf = ({ brandColor: accent = ACCENT }: Brand) =>
  [
    ':root{color-scheme:light dark;--ink:#1b1b20;--ground:#f4f4f7;--paper:#fff;',
    `--line:#80808c;--code:#f0f0f4;--link:#0a58ca;--wrong:#b3263c;--accent:${accent};--on-accent:${textOn(accent)}}`,
    `@media(prefers-color-scheme:dark){:root{${DARK}}}`,
  ].join('');

/** The look of every page. It travels inside the page, and the policy allows it by its hash alone. */
const styleOf = (brand: Brand) =>
  [
    colorsOf(brand),
    '@media(prefers-color-scheme:dark){header img{padding:.375rem .625rem;border-radius:.5rem;background:#fff}}',
    '*{box-sizing:border-box}',
    'body{margin:0;min-height:100vh;min-height:100dvh;display:grid;grid-template-rows:1fr auto auto 1.5fr;',
    'justify-items:center;gap:1.5rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;',
    'color:var(--ink);background:var(--ground);overflow-wrap:anywhere}',
    'header{align-self:end;display:flex;align-items:center;gap:.75rem;font-weight:600;color:var(--ink)}',
    'header img{display:block;height:2.5rem;max-width:14rem;object-fit:contain}',
    'main{width:100%;max-width:32rem;padding:2rem;border-radius:1rem;background:var(--paper);',
    'box-shadow:0 0 0 1px #8884,0 .5rem 2rem #0001}',
    'footer{display:flex;flex-wrap:wrap;justify-content:center;gap:.25rem 1.5rem;align-self:start;font-size:.875rem}',
    'h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem;text-wrap:balance}p{margin:0 0 1rem}',
    'main>:last-child{margin-bottom:0}',
    'code{background:var(--code);padding:.1em .35em;border-radius:.25em}',
    'dl{margin:0 0 1rem}dt{font-weight:600;margin-top:.75rem}dd{margin:0}a{color:var(--link)}',
    'form{display:grid;gap:1.25rem;margin:1.5rem 0 0}label{display:grid;gap:.375rem;font-weight:600}',
    'input,button{font:inherit;width:100%;min-height:2.75rem;padding:.5rem .75rem;border-radius:.5rem;',
    'border:1px solid var(--line);background:var(--paper);color:inherit}',
    'button{background:var(--accent);color:var(--on-accent);font-weight:600;cursor:pointer}',
    ':focus-visible{outline:3px solid var(--link);outline-offset:2px}',
    '[role=alert]{padding:.75rem 1rem;border-inline-start:.25rem solid var(--wrong);background:var(--code)}',
    'ul{list-style:none;margin:0;padding:0;display:grid;gap:.75rem}',
    'ul a{display:block;padding:.625rem .75rem;border:1px solid var(--line);border-radius:.5rem;',
    'text-align:center;text-decoration:none;font-weight:600;color:inherit}',
    '[hidden]{display:none}.field{display:grid;gap:.375rem}.hint,.mistake{margin:0;font-size:.875rem}',
    '.mistake{color:var(--wrong);font-weight:600}[aria-invalid]{border:2px solid var(--wrong)}',
    'button.other{background:none;color:inherit}button.reveal{width:auto;min-height:2rem;padding:.25rem 0;justify-self:end;border:0;background:none;',
    'color:var(--link);font-weight:400;font-size:.875rem;text-decoration:underline}',
    '.links{display:flex;flex-wrap:wrap;justify-content:space-between;gap:.75rem 1.5rem;margin:1.5rem 0 0}',
    '.or{display:flex;align-items:center;gap:1rem;margin:1.5rem 0}',
    '.or::before,.or::after{content:"";flex:1;border-top:1px solid var(--line)}.or~form{margin:0 0 .75rem}',
    'details{margin:1.5rem 0 0}summary{cursor:pointer;font-weight:600;padding:.5rem 0}details form{margin:.5rem 0 0}',
  ].join('');

/** A keyhole, in the color of the brand. */
export const iconOf = ({ brandColor: accent = ACCENT }: Brand) =>
  [
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">',
    `<rect width="32" height="32" rx="7" fill="${escapeHtml(accent)}"/>`,
    `<path fill="${textOn(accent)}" d="M16 6a5.5 5.5 0 0 0-2.6 10.35L11.5 25h9l-1.9-8.65A5.5 5.5 0 0 0 16 6z"/></svg>`,
  ].join('');

/** What allows a style in a Content-Security-Policy. */
const hashOf = (style: string) => createHash('sha256').update(style).digest('base64');

const linkTo = (address: string, words: string) =>
  `<a href="${escapeHtml(address)}">${escapeHtml(words)}</a>`;

function headerOf({ basePath, brandName, brandLogo }: Brand): string {
  if (brandLogo === undefined) return brandName ? escapeHtml(brandName) : '';
  return `<img src="${escapeHtml(basePath)}${LOGO_PATH}" alt="${escapeHtml(brandName ?? '')}">`;
}

function footerOf({ brandName, brandUrl, brandSupport }: Brand, language: Language): string {
  const isMail = brandSupport?.includes('@') && !URL.canParse(brandSupport);
  const place = brandName ?? (brandUrl && new URL(brandUrl).host) ?? '';
  const help = language.text('pages', 'help');
  return [
    brandUrl ? linkTo(brandUrl, language.text('pages', 'back-to', { place })) : '',
    brandSupport ? linkTo(isMail ? `mailto:${brandSupport}` : brandSupport, help) : '',
  ].join('');
}

export const iconLink = ({ basePath }: Brand): string =>
  `<link rel="icon" href="${escapeHtml(basePath)}${ICON_PATH}">`;

/** The frame of a page around its content: the style with its hash, what stands above, and what below. */
export interface Look {
  readonly layout: Template<Place>;
  readonly style: string;
  readonly styleHash: string;
  /** The colors alone, for pages that have a style of their own. */
  readonly colors: string;
  readonly colorsHash: string;
  readonly header: string;
  footerOf(language: Language): string;
  /** The layout of mails, if the operator has one. */
  readonly mail: Template<Place> | undefined;
}

export function createLook(brand: Brand, { style: added = '', page, mail }: Theme): Look {
  const [style, colors] = [styleOf(brand), colorsOf(brand)].map((own) => own + added) as [
    string,
    string,
  ];
  return {
    layout: page ?? template(pageWith(iconLink(brand))),
    style,
    styleHash: hashOf(style),
    colors,
    colorsHash: hashOf(colors),
    header: headerOf(brand),
    footerOf: (language) => footerOf(brand, language),
    mail,
  };
}
