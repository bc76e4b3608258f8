import { z } from 'zod';
import { isLoopback } from '#src/platform/settings/types';

// What the settings of mail may look like. Messages name no value: there is a password in SMTP_URL.

const decoded = (text: string) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
};

/** `?tls=` and nothing else: other parameters could switch off checks of the library. */
const FORM = /^smtps?:\/\/[^/?#\s]+\/?(\?tls=(system|none|\/[^?&#\s]+))?$/;

export const smtpUrl = z
  .string()
  .refine(
    (text) =>
      FORM.test(text) &&
      URL.canParse(text) &&
      decoded(text) !== undefined &&
      !/^smtps:.*=none$/.test(text),
    'must be smtp://user:password@host:port or smtps://…, and may end in ?tls=system or ?tls=/path/ca.pem, with smtp: also in ?tls=none',
  );

/** Name and address of `Example <auth@example.com>` or `auth@example.com`; undefined for anything else. */
export function senderOf(text: string): { name: string; address: string } | undefined {
  const [, name = '', named, bare] =
    /^(?:([^<>"(),;:@\\\p{C}]+) <([^<>\s]+)>|([^<>\s]+))$/u.exec(text) ?? [];
  const address = named ?? bare ?? '';
  return z.email().max(254).safeParse(address).success ? { name, address } : undefined;
}

export const mailFrom = z
  .string()
  .refine(
    (text) => senderOf(text) !== undefined,
    'must be an address such as auth@example.com or Example <auth@example.com>',
  );

/** `tls` is `none`, `system`, or the file of an authority. Only on loopback is it `none` by default. */
export function serverOf(text: string) {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const secure = url.protocol === 'smtps:';
  const [user, password] = [url.username, url.password].map(decodeURIComponent) as [string, string];
  const tls = url.searchParams.get('tls') ?? (isLoopback(host) && !secure ? 'none' : 'system');
  return { host, port: Number(url.port) || (secure ? 465 : 587), secure, user, password, tls };
}

/** See `contradictions` in `settings/read`. */
export function mailContradictions({
  SMTP_URL,
  MAIL_FROM,
}: {
  SMTP_URL?: string | undefined;
  MAIL_FROM?: string | undefined;
}) {
  if (!SMTP_URL) return [];
  const { host, port, secure, password, tls } = serverOf(SMTP_URL);
  return [
    !MAIL_FROM && 'MAIL_FROM is required with SMTP_URL',
    !secure &&
      port === 465 &&
      'SMTP_URL: port 465 is encrypted from the first byte: write smtps://',
    secure &&
      [25, 587].includes(port) &&
      `SMTP_URL: port ${port} begins unencrypted and then turns to TLS: write smtp://`,
    password !== '' &&
      tls === 'none' &&
      !isLoopback(host) &&
      'SMTP_URL would send its password unencrypted: remove ?tls=none',
  ];
}

export const notifyNewSignIn = z
  .enum(['on', 'off'])
  .default('off')
  .describe(
    'Whether users get a mail when they sign in on a new device and from a new network. It has a link that ends that session. Only confirmed addresses get it.',
  );
