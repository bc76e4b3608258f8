import { BlockList, isIP, isIPv4 } from 'node:net';
import { z } from 'zod';

// What a setting may look like. Messages name no value: it may be a secret.

export const whole = (min: number, max: number) =>
  z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= min && Number(text) <= max, `must be a whole number from ${min} to ${max}`)
    .transform(Number);
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter(Boolean),
);

/** Words and shapes that every tutorial's example has, and a generated secret (base64, hexadecimal) not once in a hundred thousand. */
const EXAMPLE_SECRET = /secret|change|example|(?<![a-z\d])your|passw|default|replace|insert|random|token|\bjwt\b|1234567|abcdefg/i;
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

export const origin = (text: string) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
export const isDatabase = (text: string) =>
  /^sqlite:./.test(text) || (/^(mysql|mariadb):\/\/[^/]+\/[^/?]+(\?tls=[^&]+)?$/.test(text) && URL.canParse(text));
export const isRedis = (text: string) =>
  /^rediss?:\/\/[^/]+(\/\d{0,3})?$/.test(text) && URL.canParse(text) && new URL(text).hostname !== '';
const network = (text: string) => {
  const [address = '', prefix, rest] = text.split('/');
  return (
    isIP(address) > 0 &&
    rest === undefined &&
    (prefix === undefined || (/^[1-9]\d{0,2}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128)))
  );
};
export const proxies = z
  .string()
  .refine(
    (text) => /^\d{1,2}$/.test(text) || text.split(',').every((part) => network(part.trim())),
    'must be the number of proxies in front of this server, or their addresses (10.0.0.0/8, …). `true` would let anybody choose their own address',
  )
  .transform((text) => (/^\d+$/.test(text) ? Number(text) : text.split(',').map((part) => part.trim())));

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8);
export const isLoopback = (host: string) => ['localhost', '::1', '[::1]'].includes(host) || (isIPv4(host) && loopback.check(host));

/** What is sent there cannot be read on its way: https, or this machine. */
const isPrivate = ({ protocol, hostname }: URL) => protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname));

/** Where something secret is sent. */
export const secureUrl = z.string().refine((text) => URL.canParse(text) && isPrivate(new URL(text)), 'must begin with https://');

/** A service elsewhere that is told something. */
export const service = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const { username, password, search, hash } = new URL(text);
  return isPrivate(new URL(text)) && !username && !password && !search && !hash;
};

/** RFC 8252 §7: https, this machine, or a scheme that names whose it is (`com.example.app:/callback`); exact, so without a wildcard. */
export const redirectUri = (text: string): boolean => {
  if (!URL.canParse(text) || /[*#\s]/.test(text)) return false;
  const { protocol, username, password } = new URL(text);
  if (username || password) return false;
  return isPrivate(new URL(text)) || protocol.includes('.');
};
