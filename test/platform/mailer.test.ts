import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { NotSent, openTransport } from '#src/platform/mail/transport';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testSecret } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';

const openssl = (line: string) => execFileSync('openssl', line.split(' '), { stdio: 'ignore' });
openssl('req -x509 -newkey rsa:2048 -nodes -days 2 -keyout ca.key -out ca.pem -subj /CN=authority');
openssl('req -newkey rsa:2048 -nodes -keyout key.pem -out request.pem -subj /CN=localhost');
writeFileSync('names', 'subjectAltName=DNS:localhost');
openssl(
  'x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out cert.pem -extfile names',
);
const ca = resolve('ca.pem');
const own = { key: readFileSync('key.pem'), cert: readFileSync('cert.pem') };

const users: unknown[] = [];
const plain = await openMailbox();
const secure = await openMailbox({ ...own, secure: true, disabledCommands: [] });
const upgrading = await openMailbox({
  ...own,
  disabledCommands: [],
  authOptional: false,
  onAuth({ username, password }, { secure }, done) {
    users.push({ username, password, secure });
    done(null, { user: 1 });
  },
});

let made = 0;
/** Sends one mail with these settings. Answers what arrived, or why it was not sent. */
async function send(
  url: string,
  mailbox: typeof plain,
  MAIL_FROM = 'Sallyport <auth@example.com>',
) {
  const APP_SECRET = testSecret();
  const env = { SMTP_URL: url, MAIL_FROM, APP_SECRET, PUBLIC_URL: 'https://auth.example' };
  const to = `somebody${++made}@example.com`;
  const id = '01a1fc25-745a-768e-9f38-6a2a3b1629a9';
  const mail = {
    id,
    to,
    subject: 'Ünï',
    text: 'text\n',
    html: '<p>html</p>',
    writtenAt: new Date(0),
  };
  const sendMail = openTransport(parseSettings(settingsFrom(env)));
  try {
    await sendMail(mail, AbortSignal.timeout(10_000));
  } catch (error) {
    expect(error).toBeInstanceOf(NotSent);
    expect(mailbox.all(to)).toEqual([]);
    return (error as NotSent).why;
  }
  return mailbox.next(to);
}
const arrived = {
  subject: 'Ünï',
  text: expect.stringMatching(/^text\n+$/),
  html: expect.stringMatching(/^<p>html<\/p>\n*$/),
};

it('on loopback mails go as they are, under the id and the time they have', async () => {
  const mail = await send(`smtp://127.0.0.1:${plain.port}`, plain);
  expect(mail).toMatchObject(arrived);
  if (typeof mail === 'string') throw new Error(mail);
  expect(mail.headers.get('message-id')).toBe(
    '<01a1fc25-745a-768e-9f38-6a2a3b1629a9@auth.example>',
  );
  expect(new Date(mail.headers.get('date')!)).toEqual(new Date(0));
});

it('to another machine nothing goes unencrypted, unless that is asked for', async () => {
  // 0.0.0.0 does not count as a loopback address, but leads to this machine.
  expect(await send(`smtp://0.0.0.0:${plain.port}`, plain)).toMatch(/^ETLS/);
  expect(await send(`smtp://127.0.0.1:${plain.port}?tls=system`, plain)).toMatch(/^ETLS/);
  expect(await send(`smtp://0.0.0.0:${plain.port}?tls=none`, plain)).toMatchObject(arrived);
});

it.each([
  ['smtps', secure],
  ['smtp', upgrading],
] as const)('%s: the server must prove who it is', async (protocol, mailbox) => {
  const user = protocol === 'smtp' ? 'user:p%40ss%2F@' : '';
  const at = (host: string, query: string) =>
    `${protocol}://${user}${host}:${mailbox.port}${query}`;
  for (const url of [at('localhost', '?tls=system'), at('127.0.0.1', `?tls=${ca}`)])
    expect(await send(url, mailbox), url).toMatch(/^(ETLS|ESOCKET)/);
  if (protocol === 'smtps')
    expect(await send(at('localhost', ''), mailbox)).toMatch(/^(ETLS|ESOCKET)/);
  expect(await send(at('localhost', `?tls=${ca}`), mailbox)).toMatchObject(arrived);
  if (mailbox === upgrading)
    expect(users).toEqual([{ username: 'user', password: 'p@ss/', secure: true }]);
});

it('a certificate file that is not there is a matter of settings', async () => {
  const sending = send(`smtps://localhost:${secure.port}?tls=/nowhere/canary.pem`, secure);
  await expect(sending).rejects.toThrow(
    'SMTP_URL (?tls=) names a file that does not exist: correct the path, or mount the file there',
  );
});

it.each(['auth@example.com', "Ada's Ünï & Co. <auth@example.com>"])(
  'MAIL_FROM %s is the sender',
  async (from) => {
    expect(await send(`smtp://127.0.0.1:${plain.port}`, plain, from)).toMatchObject({ from });
  },
);
