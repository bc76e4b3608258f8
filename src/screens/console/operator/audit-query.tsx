import { pathTo } from '#screens/ui/screen';

/** Which entries are shown. It is in the address, so a reload, a bookmark and the back button keep it. */
export interface AuditQuery {
  actor?: string;
  subject?: string;
  type?: string;
  /** RFC 3339. */
  after?: string;
  before?: string;
}
export const NAMES = ['actor', 'subject', 'type', 'after', 'before'] as const;

/** Anybody can write an address. Whether a value makes sense, the server says. */
export const readQuery = (query: Record<string, string>): AuditQuery =>
  Object.fromEntries(
    NAMES.flatMap((name) => (query[name]?.trim() ? [[name, query[name].trim()]] : [])),
  );

export function addressOf(asked: AuditQuery): string {
  const query = new URLSearchParams(Object.entries(asked) as [string, string][]);
  return `${pathTo('console', 'audit')}${query.size > 0 ? `?${query}` : ''}`;
}

/** A time as a field of the page shows it: local, to the minute. */
export function localTime(time: string | undefined): string {
  const ms = Date.parse(time ?? '');
  if (Number.isNaN(ms)) return '';
  const local = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What was typed into such a field. */
export const timeOf = (local: string): string => {
  const ms = Date.parse(local);
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString();
};
