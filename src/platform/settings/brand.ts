import { extname } from 'node:path';
import { z } from 'zod';
import { LOCALES } from '#src/platform/messages/locales';
import { isLoopback, list } from '#src/platform/settings/types';

// What people see of the operator, on pages and in mails.

/** Pictures that browsers show, by how their names end. */
export const LOGO_TYPES: Readonly<Record<string, string>> = {
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
};

const isAddress = (text: string) => z.email().max(254).safeParse(text).success;

/** A page of the operator, which may have a query. A mail or a page that names it must not lead to a script. */
function isPage(text: string): boolean {
  if (!URL.canParse(text) || /[\s<>"'\\]/.test(text)) return false;
  const { protocol, hostname, username, password } = new URL(text);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));
  return isSafe && username === '' && password === '';
}

/** Pages that apps can send their users to. */
const HOSTED_PAGES = ['sign-in', 'account', 'console'] as const;

export const brandSettings = {
  DEFAULT_LOCALE: z
    .enum(LOCALES, `must be one of ${LOCALES.join(', ')}`)
    .default('en')
    .describe(
      `Language of pages and mails where neither the user nor the browser asks for another one: ${LOCALES.join(', ')}.`,
    ),
  HOSTED_PAGES: list
    .transform((names) => (names.join() === 'none' ? [] : names))
    .pipe(z.array(z.enum(HOSTED_PAGES)))
    .default([...HOSTED_PAGES])
    .describe(
      'Pages of this server: /sign-in and what belongs to it, /account for users, /console for administrators. Or none.',
    ),
  THEME_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A folder with your own style.css, page.html, mail.html and messages/, in place of ours or added to it. See docs/branding.md.',
    ),
  BRAND_NAME: z
    .string()
    .regex(
      /^(?=\S)[^\p{C}\p{Zl}\p{Zp}<>"():;@\\]{1,60}(?<=\S)$/u,
      'must be a name of 1 to 60 characters, on one line, without any of < > " ( ) : ; @ \\',
    )
    .optional()
    .describe(
      'Your name, on every page and in every mail: Example Inc. Mails have it as their sender if MAIL_FROM has no name.',
    ),
  BRAND_LOGO: z
    .string()
    .refine(
      (file) => Object.hasOwn(LOGO_TYPES, extname(file).toLowerCase()),
      'must be the path of a file that ends in .svg, .png, .webp or .jpg',
    )
    .optional()
    .describe('A file with your logo, on every page: .svg, .png, .webp or .jpg, 200 kB at most.'),
  BRAND_COLOR: z
    .string()
    .regex(/^#[\da-f]{6}$/i, 'must be a color of six digits such as #0a58ca')
    .optional()
    .describe(
      'The color of buttons on pages, such as #0a58ca. Their text is black or white, whichever is easier to read.',
    ),
  BRAND_URL: z
    .string()
    .refine(
      isPage,
      'must be https://…, or http:// on a loopback address, without user, space or quote',
    )
    .optional()
    .describe('Your page, to which every page links back.'),
  BRAND_SUPPORT: z
    .string()
    .refine(
      (text) => isAddress(text) || isPage(text),
      'must be an e-mail address without mailto:, or https://…',
    )
    .optional()
    .describe('Where people find help: an e-mail address or a page. Pages and mails name it.'),
};
