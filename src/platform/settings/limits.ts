import { BlockList, isIP } from 'node:net';
import { z } from 'zod';

/** So many in a window of so many milliseconds. */
export interface Rate {
  readonly max: number;
  readonly window: number;
}
/** Networks whose numbers are multiplied. @public The built types name it. */
export interface SharedNetwork {
  readonly network: BlockList;
  readonly factor: number;
}

const UNITS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MAX_SECONDS = 7 * 86_400;
/** Milliseconds of `90s`, `15m`, `12h` or `1d`; NaN for anything else, for 0 and for more than 7 days. */
function durationOf(text: string): number {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  const seconds = Number(count) * UNITS[unit!]!;
  return seconds > 0 && seconds <= MAX_SECONDS ? seconds * 1000 : NaN;
}

function rateOf(text: string): Rate | undefined {
  const [, max, window] = /^([1-9]\d{0,8})\/(\w+)$/.exec(text) ?? [];
  const rate = { max: Number(max), window: durationOf(window ?? '') };
  return rate.window > 0 ? rate : undefined;
}

const parts = (text: string) => text.split(',').map((part) => part.trim());

/** Reads text, or answers undefined if it is malformed. */
const read = <T>(parse: (text: string) => T | undefined, message: string) =>
  z.string().transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

/** `30/1m, 300/1h`: one counter for each, in windows of different lengths. */
const rates = read((text): readonly Rate[] | undefined => {
  const all = parts(text).map(rateOf);
  const isEach = new Set(all.map((rate) => rate?.window)).size === all.length;
  return isEach && all.every((rate) => rate !== undefined) ? all : undefined;
}, 'must be a number of times and a window, such as 30/15m, or several such as 30/1m, 300/1h; units are s, m, h and d, up to 7d');
const rate = read(rateOf, 'must be a number of times and a window, such as 10/15m');
const duration = read(
  (text) => durationOf(text) || undefined,
  'must be a duration such as 90s, 15m, 12h or 1d, up to 7d',
);
const pauses = read((text): { from: number; to: number } | undefined => {
  const [from = NaN, to = NaN] = text.split('-').map(durationOf);
  return from <= to && text.split('-').length === 2 ? { from, to } : undefined;
}, 'must be the first and the longest pause, such as 1s-15m');

/** `198.51.100.0/24*20, 2001:db8::/48, 203.0.113.7*5`. */
function sharedNetworkOf(text: string): SharedNetwork | undefined {
  const [, address = '', bits, factor = '10'] =
    /^([\da-f:.]+)(?:\/(\d{1,3}))?(?:\*([1-9]\d{0,3}))?$/i.exec(text) ?? [];
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const prefix = Number(bits ?? longest);
  if (family === 0 || prefix < 1 || prefix > longest) return undefined;
  const network = new BlockList();
  network.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return { network, factor: Number(factor) };
}
const sharedNetworks = read((text): readonly SharedNetwork[] | undefined => {
  const all = parts(text).map(sharedNetworkOf);
  return all.every((network) => network !== undefined) ? all : undefined;
}, 'must be a comma-separated list of networks, each with a factor, such as 198.51.100.0/24*20, 2001:db8::/48*20');

/** The numbers of every limit. `LIMITS=off` switches all of them off. */
export const limitSettings = {
  LIMIT_REQUESTS_PER_NETWORK: rates
    .prefault('300/1m')
    .describe(
      'Requests from a network to one node without a valid token. A network is an IPv4 address or an IPv6 /64.',
    ),
  LIMIT_REQUESTS_PER_SITE: rates
    .prefault('3000/1m')
    .describe('The same from an IPv6 /48, which one customer may have as a whole.'),
  LIMIT_REQUESTS_PER_SESSION: rates
    .prefault('300/1m')
    .describe('Requests of one session, or of one API key, to one node.'),
  LIMIT_REQUESTS_PER_SERVICE: rates
    .prefault('6000/1m')
    .describe('Requests of one service (docs/services.md) to one node.'),
  LIMIT_SIGN_INS_PER_NETWORK: rates
    .prefault('30/1m, 300/1h')
    .describe('Attempts to sign in from a network. Those that succeed do not count.'),
  LIMIT_SIGN_INS_PER_SITE: rates.prefault('300/1m, 3000/1h').describe('The same from an IPv6 /48.'),
  LIMIT_LOGIN_FAILURES_PER_ACCOUNT: rate
    .prefault('10/15m')
    .describe('Failed sign-ins of one account before pauses begin.'),
  LIMIT_LOGIN_FAILURES_PAUSE: pauses
    .prefault('1s-15m')
    .describe('The first and the longest of these pauses. Each further failure doubles the pause.'),
  LIMIT_LOGIN_FAILURES_FORGET: duration
    .prefault('12h')
    .describe('After so long without a failure they are forgotten.'),
  LIMIT_SIGN_UPS_PER_NETWORK: rates
    .prefault('10/1h')
    .describe('Attempts to register from a network.'),
  LIMIT_SIGN_UPS_PER_SITE: rates.prefault('100/1h').describe('The same from an IPv6 /48.'),
  LIMIT_CODES_PER_NETWORK: rates
    .prefault('30/1m, 300/1h')
    .describe(
      'Codes and tokens from mails and redirects, from a network. Valid ones do not count.',
    ),
  LIMIT_CODES_PER_SITE: rates.prefault('300/1m, 3000/1h').describe('The same from an IPv6 /48.'),
  LIMIT_MAIL_REQUESTS_PER_NETWORK: rates
    .prefault('20/1h')
    .describe('Requests for a mail from a network.'),
  LIMIT_MAIL_REQUESTS_PER_SITE: rates.prefault('200/1h').describe('The same from an IPv6 /48.'),
  LIMIT_MAILS_PER_ADDRESS: rates
    .prefault('5/1h')
    .describe(
      'Mails to one address that anybody can ask for. Those that administrators cause are counted apart, with the same numbers.',
    ),
  LIMIT_MAILS_PER_ADMINISTRATOR: rates
    .prefault('200/1h')
    .describe(
      'Mails that one administrator causes: invitations, links for a new password or address, acting for a user. The command line is not limited.',
    ),
  LIMIT_NEW_SIGN_IN_MAILS_PER_USER: rates
    .prefault('5/1h, 20/1d')
    .describe('Mails to one user about sign-ins on new devices: see NOTIFY_NEW_SIGN_IN.'),
  LIMIT_REFRESHES_PER_SESSION: rates.prefault('30/1m').describe('Refreshes of one session.'),
  LIMIT_PASSWORD_GUESSES_PER_SESSION: rates
    .prefault('10/15m')
    .describe('How often one session may give the password of its user.'),
  LIMIT_EXPORTS_PER_SESSION: rates
    .prefault('5/1h')
    .describe('How often one session may export all that the server knows of its user.'),
  LIMITS_SHARED_NETWORKS: sharedNetworks
    .default([])
    .describe(
      'Networks that many people share, such as a school or an office, comma-separated, each with the factor by which its numbers are multiplied (default: 10): 198.51.100.7*20, 2001:db8:5::/48.',
    ),
};
