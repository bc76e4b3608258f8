import { z } from 'zod';

const ENTITIES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** Text for an HTML element or for an attribute in quotes. */
export const escapeHtml = (text: string): string =>
  text.replaceAll(/[&<>"']/g, (char) => ENTITIES[char]!);

/** Two spellings are the same username, or the same part of one, if this is the same for both. */
export const fold = (text: string): string =>
  text.normalize('NFKC').replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');

/**
 * For the question whether one text says the same as another to a person who guesses: a password
 * and a name, a password and a list. Texts with the same `fold` have the same loose form, too, and
 * so have texts that differ in marks, invisible characters, `ß` and `ss`, `ı` and `i`. It is too
 * loose to name a user by.
 */
export const foldLoosely = (text: string): string =>
  fold(text)
    .toUpperCase() // has the full mappings: ß becomes SS, ᾳ becomes ΑΙ
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{Default_Ignorable_Code_Point}]/gu, '')
    .toLowerCase()
    .replaceAll('ς', 'σ')
    .normalize('NFKC');

/**
 * Text of any script. It is stored and answered byte for byte. Refused are control characters, broken Unicode,
 * text with nothing visible in it, and characters that change the direction of text (Bidi_Control).
 */
export const PlainText = z
  .string()
  .min(1)
  .refine(
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    (text) => text.isWellFormed() && !/[\u0000-\u001f\u007f-\u009f]/.test(text),
    'No control characters, please',
  )
  .refine(
    (text) => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text) && !/\p{Bidi_Control}/u.test(text),
    'This would not be seen as it is',
  );
