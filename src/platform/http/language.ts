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
