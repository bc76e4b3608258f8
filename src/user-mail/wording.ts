import { message, type Message } from '#src/platform/messages/message';

/**
 * The greeting of a mail. It names nobody if mail programs could make a link or a phone number of
 * the name: people choose it when they sign up, maybe with the address of somebody else.
 */
export const hello = (name?: string | null): Message =>
  name && name.length <= 60 && !/[/:@\\\d]|[.。．｡]\S|www/i.test(name)
    ? message('mails', 'hello-name', { name })
    : message('mails', 'hello');

/** Words of a stranger of which mail programs make neither a link nor a phone number. `Pixel 8` is plain. */
export const isPlainWords = (text: string): boolean =>
  !/[/:@\\]|[.。．｡]\S|www/i.test(text) && (text.match(/\p{N}/gu) ?? []).length <= 4;
