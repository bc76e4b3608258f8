import { readFileSync } from 'node:fs';
import type { Area } from '#src/platform/messages/areas';
import { createLanguage, type Language, type MessageFile } from '#src/platform/messages/language';
import type { Locale } from '#src/platform/messages/locales';

/** The texts of an instance. A language is read when somebody first asks for it. */
export interface Messages {
  language(locale: Locale): Language;
}

/** The texts that this server has of an area. Empty for a language that has none. */
export function shippedMessages(area: Area, locale: Locale): MessageFile {
  const file = new URL(import.meta.resolve(`#messages/${area}.${locale}`));
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as MessageFile;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' && locale !== 'en') return {};
    throw error;
  }
}

/** `own`: texts of the operator, by the names of their files, such as `pages.de`. They replace ours. */
export function createMessages(own: ReadonlyMap<string, MessageFile> = new Map()): Messages {
  const files = new Map<string, MessageFile>();
  const languages = new Map<Locale, Language>();
  const fileOf = (area: Area, locale: Locale): MessageFile => {
    const name = `${area}.${locale}`;
    const known = files.get(name);
    if (known) return known;
    const english = locale === 'en' ? {} : fileOf(area, 'en');
    const file = { ...english, ...shippedMessages(area, locale), ...own.get(name) };
    files.set(name, file);
    return file;
  };
  return {
    language(locale) {
      const known = languages.get(locale) ?? createLanguage(locale, (area) => fileOf(area, locale));
      languages.set(locale, known);
      return known;
    },
  };
}
