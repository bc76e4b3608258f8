import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as emailMails from '#src/email/mails';
import * as factorMails from '#src/factors/mails';
import * as federationMails from '#src/federation/mails';
import * as impersonationMails from '#src/impersonation/mails';
import * as invitationMails from '#src/invitations/mails';
import * as passkeyMails from '#src/passkeys/mails';
import * as passwordMails from '#src/passwords/mails';
import * as sessionMails from '#src/sessions/mails';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo, render, type Mail } from '#src/platform/mail/template';
import { openTransport } from '#src/platform/mail/transport';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { root } from '#test/support/process';
import { startApp } from '#test/support/app';

const mailbox = await openMailbox();
const { ctx, OutgoingMail } = await startApp({
  ...mailbox.env,
  PUBLIC_URL: 'https://auth.example',
});

const english = ctx.messages.language('en');
const rendered = (mail: Pick<Mail, 'subject' | 'parts'>) => render(ctx.settings, mail, english);

const link = linkTo(ctx.settings, '/here', { token: 'aB3-_' });
const at = new Date('2026-11-20T14:03:59Z');
const kinds = { provider: 'GitHub', kind: 'totp', left: 9 };
const signIn = {
  device: 'Firefox on Linux',
  ip: '192.0.2.1',
  strategy: 'local',
};
const acts = { actor: 'grace', reason: 'Ticket 4711' };
const data = {
  name: 'Ada Lovelace',
  link,
  code: '012345',
  at,
  madeAt: at,
  ...kinds,
  ...signIn,
  ...acts,
};
/** Every mail of this server, by the name of its template. */
const mails = Object.values({
  ...emailMails,
  ...factorMails,
  ...federationMails,
  ...impersonationMails,
  ...invitationMails,
  ...passkeyMails,
  ...passwordMails,
  ...sessionMails,
}).map((mail) => [mail(data).template, mail] as const);
const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  `"' onmouseover="alert(1)`,
  '</p></div></body>',
  '&lt;b&gt; &amp;',
  'a\r\nBcc: x@y.example\r\n\r\n<b>',
  'a\u2028b\u0085c\u202Ed\u0000e',
  '{{7*7}} ${7*7} <%= 7*7 %>',
];
/** What a browser shows: tags gone, entities read. Enough for what we write; a tag that was let through would be missing. */
const shown = (html: string) =>
  html
    .replace(/^[\s\S]*<body>/, '')
    .replaceAll(/<\/?(div|h1|p|a|body|html)\b( (style|href|dir)="[^"<>]*")*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
const textsOf = ({ parts }: Pick<Mail, 'parts'>) =>
  parts.flatMap((part) => (typeof part === 'string' || 'key' in part ? [english.write(part)] : []));
const oneLine = (text: string) => text.replaceAll(/[\p{C}\u2028\u2029]+/gu, ' ').trim();

it('every file of mails is read here, and every template has a name of its own', () => {
  expect(globSync('src/**/mails.ts', { cwd: root }).sort()).toEqual([
    'src/email/mails.ts',
    'src/factors/mails.ts',
    'src/federation/mails.ts',
    'src/impersonation/mails.ts',
    'src/invitations/mails.ts',
    'src/passkeys/mails.ts',
    'src/passwords/mails.ts',
    'src/sessions/mails.ts',
  ]);
  expect(new Set(mails.map(([template]) => template)).size).toBe(mails.length);
  for (const [template] of mails) expect(template).toMatch(/^[a-z-]{1,32}$/);
});

describe.each(mails)('%s', (name, write) => {
  it('arrives with the same words in text and HTML, with a link, and nothing to fetch', async () => {
    const to = `${name}@example.com`;
    const filled = write(data);
    await queueMail(ctx, to, filled);
    const mail = await mailbox.next(to);
    expect(mail.subject).toBe(english.write(filled.subject));
    expect(mail.link).toBe('https://auth.example/here?token=aB3-_');
    expect(mail.secrets).toEqual({ token: 'aB3-_' });
    expect(mail.html).toContain(`href="${mail.link}"`);
    for (const part of textsOf(filled)) {
      expect(mail.text.replaceAll(/\s+/g, ' ')).toContain(part);
      expect(shown(mail.html)).toContain(part);
    }
    expect(mail.code).toBe(['verify-email', 'email-set'].includes(name) ? '012345' : '');
    expect(mail.html).not.toMatch(
      /<(img|script|iframe|object|embed|link|form|input|svg|video)|url\(|@import| src=/i,
    );
    expect(mail.html.match(/https?:[^"<]*/g)).toEqual([mail.link]);
    expect(filled.goodFor).toBeGreaterThanOrEqual(15 * 60);
    expect(filled.goodFor).toBeLessThanOrEqual(72 * 3600);
  });

  it.each(HOSTILE)('shows %j as it is, or not at all', async (text) => {
    const filled = write({ ...data, name: text, provider: text, code: text, device: text });
    const { subject, text: body, html } = rendered(filled);
    expect(subject).toBe(english.write(filled.subject));
    for (const part of textsOf(filled)) {
      expect(shown(html)).toContain(oneLine(part));
      expect(body).toContain(oneLine(part));
    }
    expect(body).not.toMatch(/^Bcc/m);
    expect(html).not.toMatch(/<(script|img|b)\b/);
    expect(html.match(/<[a-z!/]/g)).toEqual(rendered(write(data)).html.match(/<[a-z!/]/g));
  });
});

it.each(HOSTILE)(
  '%j in every place of a template stays what it is, on its way too',
  async (text) => {
    const {
      subject,
      text: body,
      html,
    } = rendered({
      subject: `s ${text}`,
      parts: [text, { label: text, link }, { code: text }],
    });
    expect(subject).toBe(`s ${oneLine(text)}`.trim());
    expect(body.split('\n').filter((line) => line.includes(oneLine(text)))).toHaveLength(3);
    expect(shown(html).split(oneLine(text))).toHaveLength(5);
    const to = `hostile${HOSTILE.indexOf(text)}@example.com`;
    const mail = {
      id: crypto.randomUUID(),
      to,
      subject: `s ${text}`,
      text: body,
      html,
      writtenAt: at,
    };
    await openTransport(ctx.settings)(mail, AbortSignal.timeout(10_000));
    const { headers, recipients } = await mailbox.next(to);
    expect(recipients).toEqual([to]);
    expect([...headers.keys()].sort()).toEqual(
      [
        'auto-submitted',
        'content-type',
        'date',
        'from',
        'message-id',
        'mime-version',
        'subject',
        'to',
      ].sort(),
    );
  },
);

it('greets by name, and by none that mail programs would make a link of', () => {
  const greeting = (name: string | null | undefined) =>
    textsOf(passwordMails.resetPasswordMail({ name: name as string | null, link }))[0];
  for (const name of ['Ada', 'Ada Lovelace', 'J. R. R. Tolkien', 'Zoë', '山田太郎', 'Ada <b>'])
    expect(greeting(name)).toBe(`Hello ${name},`);
  for (const name of [
    undefined,
    null,
    '',
    'https://evil.example',
    'evil.example',
    'WWW evil',
    'evil。example',
    'ada@evil.example',
    '/evil',
    'call 555-1234',
    'x'.repeat(61),
  ])
    expect(greeting(name), String(name)).toBe('Hello,');
});

it('links lead to PUBLIC_URL', () => {
  expect(linkTo(ctx.settings, '/a?b=c', { token: '&=#/ ü' })).toBe(
    'https://auth.example/a?b=c&token=%26%3D%23%2F+%C3%BC',
  );
  expect(linkTo(ctx.settings, '/')).toBe('https://auth.example/');
  for (const path of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    'javascript:alert(1)',
    'a',
    '',
    '\t//evil.example',
  ])
    expect(() => linkTo(ctx.settings, path), path).toThrow('must lead to this server');
});

it('the outbox is empty in the end', async () => {
  await eventually(async () => expect(await OutgoingMail.count()).toBe(0));
});
