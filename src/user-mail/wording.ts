/**
 * The greeting of a mail. It names nobody if mail programs could make a link or a phone number of
 * the name: people choose it when they sign up, maybe with the address of somebody else.
 */
export const hello = (name: string | null | undefined): string =>
  name && name.length <= 60 && !/[/:@\\\d]|[.。．｡]\S|www/i.test(name)
    ? `Hello ${name},`
    : 'Hello,';

/** Words of a stranger of which mail programs make neither a link nor a phone number. `Pixel 8` is plain. */
export const isPlainWords = (text: string): boolean =>
  !/[/:@\\]|[.。．｡]\S|www/i.test(text) && (text.match(/\p{N}/gu) ?? []).length <= 4;

/** A time as mails write it: `20 November 2026 at 14:03 UTC`. */
export const writtenTime = (at: Date): string =>
  `${at.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })} UTC`;
