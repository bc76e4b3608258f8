/** The files of texts, `src/messages/<area>.<locale>.json`. The English one says which keys there are. */
interface Areas {
  pages: typeof import('#messages/pages.en');
  mails: typeof import('#messages/mails.en');
  problems: typeof import('#messages/problems.en');
  'sign-in': typeof import('#messages/sign-in.en');
  ui: typeof import('#messages/ui.en');
  account: typeof import('#messages/account.en');
  console: typeof import('#messages/console.en');
  operator: typeof import('#messages/operator.en');
}
export type Area = keyof Areas;
export type KeyOf<A extends Area> = keyof Areas[A] & string;

export const AREAS: readonly Area[] = [
  'pages',
  'mails',
  'problems',
  'sign-in',
  'ui',
  'account',
  'console',
  'operator',
];
