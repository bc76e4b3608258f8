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

/** Words and shapes that a generated secret does not have, but every tutorial's example does. */
const EXAMPLE_SECRET = /secret|change|example|your|passw|default|replace|insert|random|token|\bjwt\b|12345|abcde/i;
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
const network = (text: string) => {
  const [address = '', prefix, rest] = text.split('/');
  return (
    isIP(address) > 0 &&
    rest === undefined &&
    (prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (isIPv4(address) ? 32 : 128)))
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
export const isLoopback = (host: string) => host === 'localhost' || host === '::1' || (isIPv4(host) && loopback.check(host));
