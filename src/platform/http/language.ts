import type { Request } from 'express';
import type { Context } from '#src/context';
import type { Language } from '#src/platform/messages/language';
import { isLocale, LOCALES, type Locale } from '#src/platform/messages/locales';

/** Browsers send some 200 characters. A longer header is looked at no further. */
const MOST_CHARACTERS = 1000;
const MOST_TAGS = 20;

type Asking = Pick<Request, 'originalUrl' | 'headers' | 'acceptsLanguages'>;

/** The language in which a request is answered. `setting`: what the user has chosen, if somebody is signed in. */
export const languageOf = (
  { messages, settings }: Pick<Context, 'messages' | 'settings'>,
  req: Asking,
  setting?: string | null,
): Language => messages.language(localeOf(req, settings.defaultLocale, setting));

/** `ui_locales` (OpenID Connect Core §3.1.2.1), then the user's setting, then `Accept-Language`, then `otherwise`. */
export const localeOf = (req: Asking, otherwise: Locale, setting?: string | null): Locale =>
  askedLocale(req) ?? (isLocale(setting) ? setting : acceptedLocale(req, otherwise));

/** The first of `ui_locales` that there is. Undefined: none of them, or none were asked for. */
function askedLocale({ originalUrl }: Pick<Asking, 'originalUrl'>): Locale | undefined {
  const at = originalUrl.indexOf('?');
  const asked = at < 0 ? null : new URLSearchParams(originalUrl.slice(at)).get('ui_locales');
  if (!asked || asked.length > MOST_CHARACTERS) return undefined;
  return asked
    .split(' ', MOST_TAGS)
    .map((tag) => /^[a-z]{2,8}(?=(-[a-z\d]{1,8})*$)/i.exec(tag)?.[0].toLowerCase())
    .find((tag) => isLocale(tag));
}

function acceptedLocale(req: Asking, otherwise: Locale): Locale {
  const { length } = req.headers['accept-language'] ?? '';
  if (length === 0 || length > MOST_CHARACTERS) return otherwise;
  const found = req.acceptsLanguages([otherwise, ...LOCALES]);
  return isLocale(found) ? found : otherwise;
}

/** What an app begins a sign-in with. The page of the sign-in checks it. */
const APP_PARAMETERS = ['redirectUri', 'codeChallenge', 'state', 'login_hint'];

/** The query that keeps the language that was asked for, and the app that waits, in a link to another page. */
export function keptQuery(req: Request): string {
  const kept = new URLSearchParams(languageQuery(req));
  for (const name of APP_PARAMETERS) {
    const value = req.query[name];
    if (typeof value === 'string' && value !== '' && value.length <= 512) kept.set(name, value);
  }
  return kept.size > 0 ? `?${kept.toString()}` : '';
}

/** The query that keeps the language that was asked for in a link to another page. */
const languageQuery = (req: Pick<Asking, 'originalUrl'>): string => {
  const locale = askedLocale(req);
  return locale ? `?ui_locales=${locale}` : '';
};
