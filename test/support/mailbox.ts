import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { domainToASCII } from 'node:url';
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { whenFileDone } from '#test/support/when-done';

/** A mail as its reader sees it. */
export interface Received {
  /** The recipients of the envelope. The headers may say something else. */
  recipients: string[];
  /** `Example <auth@example.com>`, or the address alone. */
  from: string;
  subject: string;
  text: string;
  html: string;
  /** The first link. `secrets` is its query. */
  link: string;
  secrets: Record<string, string>;
  /** The six digits to type. */
  code: string;
  headers: Map<string, string>;
  source: string;
}

/** What the mail server answers to a recipient (`RCPT`) and to the end of a mail (`DATA`). */
export type Answer = 'accept' | 'hold' | 450 | 550 | 554;

/** How long `next` waits, in milliseconds. */
const PATIENCE = 90_000;

/** The server under test sends the domain in its IDNA form. smtp-server decodes it. */
const ascii = (address: string) => address.replace(/[^@]*$/, domainToASCII);

export async function readMail(source: Buffer, recipients: string[] = []): Promise<Received> {
  const { from, subject = '', text = '', html = '', headers } = await PostalMime.parse(source);
  const link = /https?:\S+/.exec(text)?.[0] ?? '';
  return {
    recipients,
    from: from?.name ? `${from.name} <${from.address}>` : (from?.address ?? ''),
    subject,
    text,
    html,
    link,
    secrets: Object.fromEntries(new URLSearchParams(link.split('?')[1] ?? '')),
    code: /^ *(\d{6}) *$/m.exec(text)?.[1] ?? '',
    headers: new Map(headers.map(({ key, value }) => [key, value])),
    source: source.toString(),
  };
}

/**
 * A mail server. It ends with the test file.
 *
 *     const mailbox = await openMailbox();
 *     const { ask } = await startApp(mailbox.env);
 *     const { link, code } = await mailbox.next('ada@example.com');
 */
export async function openMailbox(options: SMTPServerOptions = {}) {
  const arrived: Received[] = [];
  const unread: Received[] = [];
  const answers: Record<'RCPT' | 'DATA', Answer> = { RCPT: 'accept', DATA: 'accept' };
  let held: (() => void)[] = [];

  const settle = async (phase: 'RCPT' | 'DATA', done: (error?: Error) => void) => {
    if (answers[phase] === 'hold') await new Promise<void>((resolve) => void held.push(resolve));
    const now = answers[phase];
    if (typeof now === 'number')
      done(
        Object.assign(
          new Error(now === 554 ? '5.7.1 Relay access denied' : 'no, not <canary@example.com>'),
          { responseCode: now },
        ),
      );
    else done();
  };
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onRcptTo: (_address, _session, done) => void settle('RCPT', done),
    onData: (stream, { envelope }, done) => {
      void stream.toArray().then(async (chunks) => {
        const mail = await readMail(
          Buffer.concat(chunks),
          envelope.rcptTo.map(({ address }) => ascii(address)),
        );
        await settle('DATA', (error) => {
          if (!error) for (const list of [arrived, unread]) list.push(mail);
          done(error);
        });
      });
    },
    ...options,
  });
  server.on('error', () => {}); // clients that are killed
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.server.address() as AddressInfo;
  const isFor = (to: string) => (mail: Received) =>
    mail.recipients.some((each) => each.toLowerCase() === to.toLowerCase());

  const release = () => {
    for (const go of held) go();
    held = [];
  };
  const close = () =>
    new Promise<void>((resolve) => {
      release();
      server.close(() => resolve());
    });
  whenFileDone(close);

  return {
    port,
    /** For `startApp` or `settingsFor`. */
    env: { SMTP_URL: `smtp://127.0.0.1:${port}`, MAIL_FROM: 'Sallyport <auth@example.com>' },
    /** Waits for the oldest mail to this address that was not asked for yet. Throws after a while. */
    async next(to: string): Promise<Received> {
      for (const end = performance.now() + PATIENCE; ; await sleep(5)) {
        const index = unread.findIndex(isFor(to));
        if (index >= 0) return unread.splice(index, 1)[0]!;
        if (performance.now() > end)
          throw new Error(
            `No mail for ${to}. There is: ${unread.map(({ recipients, subject }) => `${recipients.join()} (${subject})`).join('; ')}`,
          );
      }
    },
    /** All that has arrived so far, for this address or for any. */
    all: (to?: string): Received[] => (to === undefined ? [...arrived] : arrived.filter(isFor(to))),
    /** From now on. `hold`: no answer before `release`. A number: refused with it, in a sentence with an address. */
    answer(phase: 'RCPT' | 'DATA', answer: Answer): void {
      answers[phase] = answer;
    },
    /** Answers those that were held, as `answer` said last. */
    release,
    /** How many wait for an answer. */
    get holding() {
      return held.length;
    },
    close,
  };
}
