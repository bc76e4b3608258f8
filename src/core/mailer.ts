import { chmodSync, mkdirSync, readFileSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { SendMailOptions } from 'nodemailer';
import { config } from '#src/config';
import { senderOf, serverOf } from '#src/core/mail-settings';
import { SettingsError } from '#src/core/settings-error';

export interface Mail {
  /** A UUID: the same mail sent twice has the same Message-ID, and mail programs can tell. */
  id: string;
  /** One address in ASCII. */
  to: string;
  subject: string;
  text: string;
  html: string;
  writtenAt: Date;
}

/** Sends a mail; answers the file that it became if there is no mail server. Throws NotSent. */
export type Send = (mail: Mail, signal: AbortSignal) => Promise<{ file?: string }>;

/** `why` is fit for a log: what mail servers say themselves holds addresses. `forGood`: the mail server knows no such recipient. */
export class NotSent extends Error {
  readonly why: string;
  readonly forGood: boolean;

  constructor(cause: unknown) {
    super('the mail was not sent', { cause });
    this.name = 'NotSent';
    const { code, originalCode, responseCode, command, permanent, response } = cause as Partial<SmtpError>;
    this.why = [code ?? (cause as Error).name, originalCode, command, responseCode].filter(Boolean).join(' ');
    // 5.7 is about us, not about the recipient: no relaying, say (RFC 3463 §3.8). That can be mended.
    this.forGood = permanent === true && command === 'RCPT TO' && !/\b5\.7\.\d/.test(response ?? '');
  }
}
interface SmtpError {
  code: string;
  originalCode: string;
  responseCode: number;
  command: string;
  permanent: boolean;
  response: string;
}

/** How long a mail server may take, in milliseconds: to accept a connection, to greet, between two of its words. */
const LIMITS = { dnsTimeout: 5000, connectionTimeout: 10_000, greetingTimeout: 10_000, socketTimeout: 20_000, socketCloseTimeout: 1000 };

/** The way out: SMTP_URL, or files for their owner alone. Throws SettingsError. */
export const openMailer = (): Send => (config.SMTP_URL ? bySmtp(config.SMTP_URL) : intoFiles(outbox()));

type Create = (typeof import('nodemailer'))['createTransport'];
/** Made with the first mail: a server that sends none does without the library. */
const transport = (options: Parameters<Create>[0]) => {
  let made: Promise<ReturnType<Create>> | undefined;
  return () => (made ??= import('nodemailer').then(({ createTransport }) => createTransport(options)));
};

function bySmtp(url: string): Send {
  const { host, port, secure, user, password, tls } = serverOf(url);
  const smtp = transport({
    ...LIMITS,
    host,
    port,
    secure,
    // STARTTLS is not taken when it is offered, but required: who stands between could leave the offer out.
    ...(tls === 'none' ? { ignoreTLS: true } : { requireTLS: true }),
    tls: { rejectUnauthorized: true, minVersion: 'TLSv1.2', ...(tls.startsWith('/') && { ca: certificate(tls) }) },
    ...(user && { auth: { user, pass: password } }),
  });
  return async (mail, signal) => {
    try {
      await (await smtp()).sendMail({ ...messageOf(mail), signal });
      return {};
    } catch (error) {
      throw new NotSent(error);
    }
  };
}

function certificate(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new SettingsError([`SMTP_URL names a certificate file that cannot be read (${(cause as NodeJS.ErrnoException).code})`]);
  }
}

const outbox = () =>
  resolve(config.DATABASE_URL.startsWith('sqlite:') ? dirname(config.DATABASE_URL.slice('sqlite:'.length)) : 'data', 'outbox');

/** Whole files only, under the name of the mail: written twice, it is one. */
function intoFiles(folder: string): Send {
  const composer = transport({ streamTransport: true, buffer: true, newline: 'windows' });
  return async (mail) => {
    try {
      const { message } = await (await composer()).sendMail(messageOf(mail));
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const file = join(folder, `${mail.id}.eml`);
      await writeFile(`${file}.part`, message as Buffer, { mode: 0o600 });
      chmodSync(`${file}.part`, 0o600);
      await rename(`${file}.part`, file);
      return { file };
    } catch (error) {
      throw new NotSent(error);
    }
  };
}

/** Addresses go in as parts, never as text that is taken apart: nothing in them becomes another header or a second recipient. */
function messageOf({ id, to, subject, text, html, writtenAt }: Mail): SendMailOptions {
  const host = new URL(config.PUBLIC_URL).hostname;
  const from = config.MAIL_FROM ? senderOf(config.MAIL_FROM)! : { name: 'Sallyport', address: `sallyport@${host}` };
  return {
    from,
    to: { name: '', address: to },
    envelope: { from: from.address, to: [to] },
    subject,
    text,
    html,
    date: writtenAt,
    messageId: `<${id}@${host}>`,
    headers: { 'Auto-Submitted': 'auto-generated' }, // RFC 3834: no out-of-office replies, please
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
