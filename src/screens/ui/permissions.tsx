/** The rule of the server: `users:read` is granted by itself, by `users:*` and by `*`. */
export const grants = (held: readonly string[], wanted: string): boolean =>
  [wanted, '*', wanted.replace(/:.*$/s, ':*')].some((each) => held.includes(each));

/** Each opens a page of the console. */
const OPENERS = [
  'server:read',
  'users:read',
  'roles:read',
  'audit:read',
  'webhooks:read',
  'services:read',
  'mails:read',
  'keys:rotate',
] as const;
export type Opener = (typeof OPENERS)[number];

/** Whether some page of the console is for this user. */
export const maySeeConsole = ({ permissions }: { permissions: readonly string[] }): boolean =>
  OPENERS.some((each) => grants(permissions, each));
