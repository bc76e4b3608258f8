import { isIP, isIPv4 } from 'node:net';
import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { canParseServers } from '#src/platform/database/hosts';

// What a setting may look like. Messages name no value: it may be a secret.

/** A whole number: as text in the environment, as a number among options. Answers a number. */
export const whole = (min: number, max: number) =>
  z
    .union([z.string(), z.number()])
    .transform(String)
    .refine(
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a whole number from ${min} to ${max}`,
    )
    .transform(Number);

/** A number of processes. */
export const workers = z
  .union([z.string(), z.number()])
  .transform(String)
  .refine(
    (text) => text === 'auto' || (/^[1-9]\d{0,2}$/.test(text) && Number(text) <= 128),
    'must be `auto`, for one process for each core, or a whole number from 1 to 128',
  )
  .transform((text) => (text === 'auto' ? availableParallelism() : Number(text)));

/** Comma-separated in the environment, a list among options. Answers a list. */
export const list = z
  .union([z.string(), z.array(z.string())])
  .transform((given) =>
    (typeof given === 'string' ? given.split(',') : given)
      .map((item) => item.trim())
      .filter(Boolean),
  );

/** Words of example secrets. A generated one (base64, hexadecimal) has none of them in a hundred thousand tries. */
const EXAMPLE_SECRET =
  /secret|change|example|(?<![a-z\d])your|passw|default|replace|insert|random|token|\bjwt\b|1234567|abcdefg/i;
export const secret = z
  .string()
  .refine((text) => Buffer.byteLength(text) >= 32, {
    error: 'must have at least 32 bytes: make one with `openssl rand -base64 32`',
    abort: true,
  })
  .refine(
    (text) => !EXAMPLE_SECRET.test(text) && new Set(text).size >= 10,
    'looks like an example that others know too: make one with `openssl rand -base64 32`',
  );

/** An http or https address, maybe with a path. One slash at its end is dropped. */
export const publicUrl = z
  .string()
  .transform((text) => text.replace(/\/$/, ''))
  .refine((text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, origin, pathname } = new URL(text);
    const path = pathname === '/' ? '' : pathname;
    return (
      /^https?:$/.test(protocol) && /^(\/[\w.~-]+)*$/.test(path) && `${origin}${path}` === text
    );
  }, 'must be an address such as https://auth.example.com or https://example.com/identity, without query and user');
export const isDatabase = (text: string) =>
  /^sqlite:./.test(text) ||
  (/^(mysql|mariadb):\/\/[^/]+\/[^/?]+(\?tls=[^&]+)?$/.test(text) && canParseServers(text));
export const isRedis = (text: string) =>
  /^rediss?:\/\/[^/]+(\/\d{0,3})?$/.test(text) &&
  URL.canParse(text) &&
  new URL(text).hostname !== '';
const network = (text: string) => {
  const [address = '', prefix, rest] = text.split('/');
  return (
    isIP(address) > 0 &&
    rest === undefined &&
    (prefix === undefined ||
      (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128)))
  );
};
/** A number of proxies, or their networks. */
export const proxies = z
  .union([z.string(), z.number(), z.array(z.string())])
  .transform(String)
  .refine(
    (text) => /^\d{1,2}$/.test(text) || text.split(',').every((part) => network(part.trim())),
    'must be the number of proxies in front of this server, or their addresses (10.0.0.0/8, …). `true` would let anybody choose their own address',
  )
  .transform((text) =>
    /^\d+$/.test(text) ? Number(text) : text.split(',').map((part) => part.trim()),
  );

export const isLoopback = (host: string) =>
  ['localhost', '::1', '[::1]'].includes(host) || (isIPv4(host) && host.startsWith('127.'));

/** Nobody can read what is sent there: https, or this machine. */
const isPrivate = ({ protocol, hostname }: URL) =>
  protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));

/** An address to which a secret is sent. */
export const secureUrl = z
  .string()
  .refine((text) => URL.canParse(text) && isPrivate(new URL(text)), 'must begin with https://');

/** The address of a service that is asked: without user, query and fragment. */
export const service = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return isPrivate(new URL(text)) && !username && !password && !search && !hash;
};

/** RFC 8252 §7: https, this machine, or a private-use scheme (`com.example.app:/callback`). Exact, so without a wildcard. */
export const redirectUri = (text: string): boolean => {
  if (!URL.canParse(text) || /[*#\s]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  if (username || password) return false;
  return isPrivate(new URL(text)) || protocol.includes('.');
};
