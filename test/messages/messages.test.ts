import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problems } from '#src/platform/http/problems';
import { AREAS } from '#src/platform/messages/areas';
import { LOCALES } from '#src/platform/messages/locales';
import { placesOf } from '#src/platform/messages/message';
import { shippedMessages } from '#src/platform/messages/messages';
import { root } from '#test/support/process';
import { sources } from '#test/support/source';

const files = readdirSync(join(root, 'src/messages')).filter((file) => file.endsWith('.json'));
const screens = globSync('src/screens/**/*.tsx', { cwd: root });
const code = [
  ...sources.values(),
  ...screens.map((file) => readFileSync(join(root, file), 'utf8')),
].join('\n');

it('has a file of each area in each language, and no other', () => {
  expect(files.sort()).toEqual(
    AREAS.flatMap((area) => LOCALES.map((locale) => `${area}.${locale}.json`)).sort(),
  );
});

describe.each(AREAS)('%s', (area) => {
  const english = shippedMessages(area, 'en');
  const keys = Object.keys(english);

  it.each(LOCALES)('has the same keys and places in %s', (locale) => {
    const messages = shippedMessages(area, locale);
    expect(
      Object.keys(messages).filter((key) => !keys.includes(key)),
      'superfluous',
    ).toEqual([]);
    expect(
      keys.filter((key) => !messages[key]?.trim()),
      'missing',
    ).toEqual([]);
    for (const key of keys)
      expect([key, placesOf(messages[key]!)]).toEqual([key, placesOf(english[key]!)]);
  });

  it.each(LOCALES)('has no key twice in %s, and no markup', (locale) => {
    const text = readFileSync(join(root, `src/messages/${area}.${locale}.json`), 'utf8');
    const found = [...text.matchAll(/^ {2}"([^"]+)":/gm)].map(([, key]) => key);
    expect(found.filter((key, at) => found.indexOf(key) < at)).toEqual([]);
    expect(text).not.toMatch(/[<>]|&\w+;/);
  });

  it('has no key that nothing uses', () => {
    const isUsed = (key: string) =>
      code.includes(`'${key}'`) || (area === 'problems' && Object.hasOwn(problems, key));
    expect(keys.filter((key) => !isUsed(key))).toEqual([]);
  });
});

it('pages name a problem in English as the API does', () => {
  const messages = shippedMessages('problems', 'en');
  for (const [code, [, , title]] of Object.entries(problems)) expect(messages[code]).toBe(title);
});
