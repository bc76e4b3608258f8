import type { BlockList } from 'node:net';
import { serversOf, hostsIn } from '#src/platform/database/hosts';
import { fileSetting } from '#src/platform/settings/files';
import { SETTING_NAMES } from '#src/platform/settings/read';
import { optionName, type Settings } from '#src/platform/settings/settings';

/** A setting in force. */
export interface ShownSetting {
  /** Its name in the environment. */
  name: string;
  /** As it would stand there. Null: there is none. Of a secret, and of a setting of a strategy: `set` or `not set`. */
  value: string | null;
}

/** Nothing of these is shown, not even how long they are. */
const SECRETS: readonly string[] = [
  'APP_SECRET',
  'APP_SECRET_PREVIOUS',
  'JWT_SECRET',
  'DEVISE_PEPPER',
];
/** Of these, user, password and query are left out. */
const ADDRESSES: readonly string[] = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL'];

/** These are milliseconds. */
const DURATIONS: readonly string[] = ['LIMIT_LOGIN_FAILURES_FORGET'];

/**
 * Every setting in force: those of the server, and of strategies those that `ofStrategies` names. What a strategy reads may be
 * a secret, whatever its name: of those only is said whether they are set.
 */
export function shownSettings(settings: Settings, ofStrategies: readonly string[]): ShownSetting[] {
  const values = settings as unknown as Readonly<Record<string, unknown>>;
  const own = SETTING_NAMES.map((name) => {
    const value = values[optionName(name)];
    return { name, value: SECRETS.includes(name) ? isSet(value) : shown(name, value) };
  });
  const given = settings.strategyValues;
  const theirs = [...new Set(ofStrategies)].map((name) => {
    const places = [name, fileSetting(name)].flatMap((each) => [each, optionName(each)]);
    return { name, value: isSet(places.some((place) => given[place]) || undefined) };
  });
  return [...own, ...theirs];
}

const isSet = (value: unknown): 'set' | 'not set' => (value === undefined ? 'not set' : 'set');

function shown(name: string, value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (ADDRESSES.includes(name)) return placeOf(value as string);
  return DURATIONS.includes(name) ? inUnits(value as number) : written(value);
}

/** As it would stand in the environment. */
function written(value: unknown): string {
  if (Array.isArray(value)) return value.map(written).join(', ');
  if (typeof value !== 'object' || value === null) return String(value);
  if (isRate(value)) return `${value.max}/${inUnits(value.window)}`;
  if (isPauses(value)) return `${inUnits(value.from)}-${inUnits(value.to)}`;
  if (isShared(value)) return `${networkIn(value.network)}*${value.factor}`;
  return JSON.stringify(value);
}

const isRate = (value: object): value is { max: number; window: number } => 'window' in value;
const isPauses = (value: object): value is { from: number; to: number } => 'from' in value;
const isShared = (value: object): value is { network: BlockList; factor: number } =>
  'factor' in value;
/** `Subnet: IPv4 198.51.100.0/24` */
const networkIn = ({ rules }: BlockList) => rules.join().replace(/^.* /, '');

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
];
function inUnits(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms % each === 0)!;
  return `${ms / length}${unit}`;
}

/** An address without what may be a secret. Of an embedded database only that it is one. */
function placeOf(url: string): string {
  if (url.startsWith('sqlite:')) return 'sqlite:…'; // no answer names a file of the machine
  if (/^(mysql|mariadb):/.test(url)) {
    const [{ protocol, pathname }] = serversOf(url);
    return `${protocol}//${hostsIn(url)}${pathname}`;
  }
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}
