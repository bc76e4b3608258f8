import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { SendMailOptions } from 'nodemailer';
import { lazy } from '#src/platform/lazy';
import { senderOf, serverOf } from '#src/platform/settings/mail';
import type { Settings } from '#src/platform/settings/settings';
import { SettingsError } from '#src/platform/settings/settings-error';

/** A mail that is ready to be sent. */
export interface Message {
  /** A UUID. A mail that is sent twice has the same Message-ID, so that mail programs can tell. */
  id: string;
  /** One address in ASCII. */
  to: string;
  subject: string;
  text: string;
  html: string;
  writtenAt: Date;
}

/**
 * Sends a mail. Without a mail server it becomes a file, whose path is answered.
 *
 * @throws {NotSent}
 */
export type Send = (message: Message, signal: AbortSignal) => Promise<{ file?: string }>;

interface SmtpError {
  code: string;
  originalCode: string;
  responseCode: number;
  command: string;
  permanent: boolean;
  response: string;
}

export class NotSent extends Error {
  /** Codes only, fit for a log. What mail servers say holds addresses. */
  readonly why: string;
  /** The mail server does not know the recipient: another attempt is of no use. */
  readonly isPermanent: boolean;

  constructor(cause: unknown) {
    super('the mail was not sent', { cause });
    this.name = 'NotSent';
    const { code, originalCode, responseCode, command, permanent, response } =
      cause as Partial<SmtpError>;
    const codes = [code ?? (cause as Error).name, originalCode, command, responseCode];
    this.why = codes.filter(Boolean).join(' ');
    // 5.7 is about this server, not about the recipient: relaying is denied, for example (RFC 3463 §3.8). That can be
    // repaired.
    this.isPermanent =
      permanent === true && command === 'RCPT TO' && !/\b5\.7\.\d/.test(response ?? '');
  }
}

/** How long a mail server may take, in milliseconds: to accept a connection, to greet, between two of its answers. */
const TIMEOUTS = {
  dnsTimeout: 5000,
  connectionTimeout: 10_000,
  greetingTimeout: 10_000,
  socketTimeout: 20_000,
  socketCloseTimeout: 1000,
};

type MailSettings = Pick<
  Settings,
  'smtpUrl' | 'mailFrom' | 'publicUrl' | 'databaseUrl' | 'brandName'
>;

/**
 * SMTP_URL, or files that only their owner can read.
 *
 * @throws {SettingsError}
 */
export const openTransport = (settings: MailSettings): Send =>
  settings.smtpUrl ? smtpTransport(settings.smtpUrl, settings) : fileTransport(settings);

type Create = (typeof import('nodemailer'))['createTransport'];
/** Loads the library. A server that sends no mail never does. */
export const loadMailLibrary = () => import('nodemailer');
const lazyTransport = (options: Parameters<Create>[0]) =>
  lazy(async () => (await loadMailLibrary()).createTransport(options));

function smtpTransport(url: string, settings: MailSettings): Send {
  const smtp = lazyTransport(smtpOptions(url));
  return async (message, signal) => {
    try {
      await (await smtp()).sendMail({ ...mailOptions(message, settings), signal });
      return {};
    } catch (error) {
      throw new NotSent(error);
    }
  };
}

/**
 * Connects to the mail server as for a mail, says EHLO, encrypts and signs in. Sends no mail.
 *
 * @throws {NotSent}
 */
export async function verifyMailServer(url: string): Promise<void> {
  const smtp = await lazyTransport(smtpOptions(url))();
  try {
    await smtp.verify();
  } catch (error) {
    throw new NotSent(error);
  } finally {
    smtp.close();
  }
}

function smtpOptions(url: string) {
  const { host, port, secure, user, password, tls } = serverOf(url);
  return {
    ...TIMEOUTS,
    host,
    port,
    secure,
    // STARTTLS is required, not only used when it is offered: a man in the middle could remove the offer.
    ...(tls === 'none' ? { ignoreTLS: true } : { requireTLS: true }),
    tls: {
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2' as const,
      ...(tls.startsWith('/') && { ca: certificate(tls) }),
    },
    ...(user && { auth: { user, pass: password } }),
  };
}

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new SettingsError([`SMTP_URL names a certificate file that cannot be read (${code})`]);
  }
}

/** Beside the embedded database, or in `data`. */
const outboxFolder = ({ databaseUrl }: MailSettings) =>
  resolve(
    databaseUrl.startsWith('sqlite:') ? dirname(databaseUrl.slice('sqlite:'.length)) : 'data',
    'outbox',
  );

/** Writes whole files only, under the id of the mail: written twice, it is one file. */
function fileTransport(settings: MailSettings): Send {
  const folder = outboxFolder(settings);
  const composer = lazyTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  return async (message) => {
    try {
      const composed = await (await composer()).sendMail(mailOptions(message, settings));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${message.id}.eml`);
      await writeFile(`${file}.part`, composed.message as Buffer, { mode: 0o600 });
      chmodSync(`${file}.part`, 0o600);
      await rename(`${file}.part`, file);
      return { file };
    } catch (error) {
      throw new NotSent(error);
    }
  };
}

/**
 * Addresses are passed as parts, never as text to be parsed: nothing in them becomes another header or a second
 * recipient.
 */
function mailOptions(
  { id, to, subject, text, html, writtenAt }: Message,
  { publicUrl, mailFrom, brandName }: MailSettings,
): SendMailOptions {
  const host = new URL(publicUrl).hostname;
  const given = mailFrom ? senderOf(mailFrom)! : undefined;
  const from = {
    name: given?.name || (brandName ?? (given ? '' : 'Sallyport')),
    address: given?.address ?? `sallyport@${host}`,
  };
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    subject,
    text,
    html,
    date: writtenAt,
    messageId: `<${id}@${host}>`,
    headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: asks for no out-of-office replies
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
