import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { MessageFile } from '#src/platform/messages/language';
import { SettingsError } from '#src/platform/settings/settings-error';
import { template, type Template } from '#src/platform/template';
import { faultsInLayout, type Place } from '#src/platform/theme/layouts';
import { readMessages } from '#src/platform/theme/own-messages';
import { readText } from '#src/platform/theme/read-text';

/** What an operator has in place of ours (THEME_DIR), or added to it. */
export interface Theme {
  /** Behind the style of every page. */
  style?: string;
  page?: Template<Place>;
  mail?: Template<Place>;
  /** Texts by the names of their files, such as `pages.de`. */
  messages: ReadonlyMap<string, MessageFile>;
}

const FILES = ['style.css', 'page.html', 'mail.html'];

/**
 * Reads the folder of the operator, once.
 * @throws {SettingsError} with one sentence for each mistake in it
 */
export function readTheme(folder: string | undefined): Theme {
  if (folder === undefined) return { messages: new Map() };
  const mistakes: string[] = [];
  const say = (mistake: string) => void mistakes.push(`THEME_DIR: ${mistake}`);
  const fault = faultOf(folder);
  if (fault) throw new SettingsError([`THEME_DIR ${fault}`]);
  for (const file of readdirSync(folder))
    if (/\.(css|html?)$/i.test(file) && !FILES.includes(file))
      say(`${nameOf(file)} is none of ${FILES.join(', ')}: rename or remove it`);
  const style = readText(folder, 'style.css', say);
  if (style !== undefined) faultsInStyle(style).forEach(say);
  const page = readText(folder, 'page.html', say);
  if (page !== undefined) faultsInLayout('page.html', page).forEach(say);
  const mail = readText(folder, 'mail.html', say);
  if (mail !== undefined) faultsInLayout('mail.html', mail).forEach(say);
  const messages = readMessages(join(folder, 'messages'), say);
  if (mistakes.length > 0) throw new SettingsError(mistakes);
  return {
    ...(style !== undefined && { style }),
    ...(page !== undefined && { page: template<Place>(page) }),
    ...(mail !== undefined && { mail: template<Place>(mail) }),
    messages,
  };
}

const nameOf = (file: string) => (/^[\w.-]{1,64}$/.test(file) ? file : 'a file');

function faultOf(folder: string): string | undefined {
  try {
    readdirSync(folder);
    return undefined;
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const isFile = code === 'ENOTDIR' && statSync(folder, { throwIfNoEntry: false })?.isFile();
    if (isFile) return 'names a file: name the folder';
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'names a folder that does not exist';
    return `names a folder that cannot be read (${code})`;
  }
}

/** The style stands in a `<style>` element, which `</style` would end. */
const faultsInStyle = (style: string): string[] =>
  /<\s*[/!]|<\s*(style|script)/i.test(style)
    ? ['style.css has a tag or the beginning of one: write CSS alone']
    : [];
