import { readdirSync } from 'node:fs';
import { AREAS, type Area } from '#src/platform/messages/areas';
import type { MessageFile } from '#src/platform/messages/language';
import { LOCALES, type Locale } from '#src/platform/messages/locales';
import { placesOf } from '#src/platform/messages/message';
import { shippedMessages } from '#src/platform/messages/messages';
import { readText } from '#src/platform/theme/read-text';

type Say = (mistake: string) => void;

const NAMES: ReadonlyMap<string, readonly [Area, Locale]> = new Map(
  AREAS.flatMap((area) =>
    LOCALES.map((locale) => [`${area}.${locale}.json`, [area, locale]] as const),
  ),
);

/** The texts of an operator, by the names of their files, such as `pages.de`. */
export function readMessages(folder: string, say: Say): Map<string, MessageFile> {
  const found = new Map<string, MessageFile>();
  for (const file of filesIn(folder, say)) {
    const named = NAMES.get(file);
    if (!named) {
      say(
        `a file in messages/ is not named <area>.<language>.json. Areas: ${AREAS.join(', ')}. Languages: ${LOCALES.join(', ')}`,
      );
      continue;
    }
    const text = readText(folder, file, (mistake) => say(`messages/${mistake}`));
    const messages = text === undefined ? undefined : parse(text);
    if (messages) {
      for (const mistake of faultsIn(messages, named[0])) say(`messages/${file} ${mistake}`);
      found.set(named.join('.'), messages as MessageFile);
    } else if (text !== undefined) say(`messages/${file} is no JSON object of texts`);
  }
  return found;
}

function filesIn(folder: string, say: Say): string[] {
  try {
    return readdirSync(folder).filter((file) => /\.json$/i.test(file));
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') say(`messages cannot be read (${code})`);
    return [];
  }
}

function parse(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function faultsIn(messages: Readonly<Record<string, unknown>>, area: Area): string[] {
  const english = shippedMessages(area, 'en');
  return Object.entries(messages).flatMap(([key, text]) => {
    const shown = /^[\w.-]{1,64}$/.test(key) ? key : 'a key';
    if (!Object.hasOwn(english, key)) return [`has ${shown}, which is no key of ours`];
    if (typeof text !== 'string' || text.trim() === '') return [`has no text for ${shown}`];
    const [own, ours] = [placesOf(text), placesOf(english[key]!)];
    if (own.join() === ours.join()) return [];
    const wanted = ours.map((place) => `{${place}}`).join(', ') || 'none';
    return [`has other places in ${shown} than ours: ${wanted}`];
  });
}
