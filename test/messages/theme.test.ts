import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTheme } from '#src/platform/theme/read-theme';
import { serve } from '#src/server-program';
import { startApp, testEnv } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { openMailbox } from '#test/support/mailbox';

function themeOf(files: Record<string, string | Buffer>): string {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}
const PAGE = `<!doctype html>
<html lang="{{lang}}" dir="{{dir}}"><head><title>{{title}}</title><style>{{style}}</style></head>
<body class="mine"><nav><b>{{title}}</b></nav>{{header}}<main>{{main}}</main>{{footer}}</body></html>`;
const MAIL = `<!doctype html>
<html lang="{{lang}}" dir="{{dir}}"><head><title>{{title}}</title><style>p { color: red }</style></head>
<body style="margin:0"><div class="mine">{{main}}<hr>{{footer}}</div></body></html>`;
const SCRIPT = '<script>alert(1)</script>';

const mailbox = await openMailbox();
const { url, ask } = await startApp({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'required',
  BRAND_NAME: '{{main}} Inc.',
  THEME_DIR: themeOf({
    'style.css': 'main > h1 {\r\n  color: teal;\r\n}\n',
    'page.html': PAGE,
    'mail.html': MAIL,
    'messages/pages.de.json': JSON.stringify({ 'forgot-password.text': `${SCRIPT} Ja.` }),
    'messages/mails.en.json': JSON.stringify({ 'verify-email.why': `Welcome. ${SCRIPT}` }),
    'README.md': 'Ours.',
  }),
});
const opened = async (path: string) => {
  const answer = await fetch(url + path);
  return { text: await answer.text(), policy: answer.headers.get('content-security-policy')! };
};

describe('a page with THEME_DIR', () => {
  it('has the layout, and the style, which the policy allows by its hash alone', async () => {
    const { text, policy } = await opened('/forgot-password');
    expect(text).toMatch(/<body class="mine"><nav><b>Ask for a new password · {{main}} Inc.<\/b>/);
    const [, style] = /<style>([^<]*)<\/style>/.exec(text)!;
    expect(style).toMatch(/main > h1 {\n {2}color: teal;\n}\n$/);
    const hash = createHash('sha256').update(style!).digest('base64');
    expect(policy).toContain(`style-src 'sha256-${hash}'`);
    expect(policy).toMatch(/^default-src 'none'; /);
    expect(policy).not.toMatch(/unsafe|script-src|https?:/);
  });

  it('Y-05 shows a text of the operator as text, and puts nothing into places that it names', async () => {
    const { text } = await opened('/forgot-password?ui_locales=de');
    expect(text).toContain('<p>&lt;script&gt;alert(1)&lt;/script&gt; Ja.</p>');
    expect(text).toContain('<h1>Neues Passwort anfordern</h1>');
    expect(text).not.toContain('<script');
    expect(text.match(/<main>/g)).toHaveLength(1);
  });
});

it('Y-05 a mail has the layout, and shows a text as text', async () => {
  const email = 'ada@example.com';
  await ask('POST', '/auth/register', { body: { email, password: 'correct horse battery' } });
  const { html, text } = await mailbox.next(email);
  expect(html).toContain('<div class="mine"><p>Hello,</p>');
  expect(html).toContain('Welcome. &lt;script&gt;');
  expect(text).toContain(`Welcome. ${SCRIPT}`);
});

const json = (value: unknown) => JSON.stringify(value);
describe('what is wrong in THEME_DIR stops the server with a sentence', () => {
  it.each([
    ['page.html', PAGE.replace('{{main}}', ''), /page\.html has no {{main}}/],
    ['page.html', PAGE.replace('{{title}}', ''), null],
    ['page.html', PAGE.replaceAll('{{title}}', ''), /has no {{title}}/],
    ['page.html', PAGE.replace('{{lang}}', 'en'), /has no {{lang}}/],
    ['page.html', PAGE.replace('dir="{{dir}}"', 'dir={{dir}}'), /{{dir}} in a wrong place/],
    ['page.html', PAGE.replace('<style>{{style}}</style>', '{{style}}'), /{{style}} in a wrong/],
    ['page.html', PAGE.replace('<b>', '<b title="{{main}}">'), /{{main}} in a wrong place/],
    ['page.html', PAGE.replace('{{footer}}', '<!-- {{footer}} -->'), /{{footer}} in a wrong/],
    ['page.html', PAGE.replace('{{footer}}', '{{foo}}'), /has a place that there is not/],
    ['page.html', PAGE.replace('<nav>', '<nav><ScRiPt src=/x>'), /has a <script/],
    ['page.html', PAGE.replace('<nav>', '<nav/onclick="x()">'), /has an event handler/],
    ['page.html', PAGE.replace('<nav>', '<nav OnLoad = x>'), /has an event handler/],
    ['page.html', PAGE.replace('<nav>', '<a href="javascript:x">'), /javascript:/],
    ['page.html', PAGE.replace('<head>', '<head><base href="//evil">'), /may not be there/],
    ['page.html', PAGE.replace('<head>', '<head><meta http-equiv=refresh>'), /http-equiv/],
    ['page.html', PAGE.replace('<head>', '<head><style>p{}</style>'), /<style> of its own/],
    ['page.html', PAGE.replace('<nav>', '<nav style="color:red">'), /style attribute/],
    ['page.html', PAGE.replace('<!doctype html>', ''), /must begin with <!doctype html>/],
    ['mail.html', MAIL.replace('{{main}}', ''), /mail\.html has no {{main}}/],
    ['mail.html', MAIL.replace('<hr>', '<script>'), /mail\.html has a <script/],
    ['style.css', 'p{}</style><script>', /style\.css has a tag/],
    ['style.css', Buffer.from([0xff, 0xfe]), /style\.css is not UTF-8 text/],
    ['style.css', 'p{}\n'.repeat(60_000), /style\.css has more than 200 kB/],
    ['styles.css', 'p{}', /styles\.css is none of style\.css, page\.html, mail\.html/],
    ['messages/pages.de.json', '{', /is no JSON object of texts/],
    ['messages/pages.de.json', '[]', /is no JSON object of texts/],
    ['messages/pages.de.json', json({ nothing: 'x' }), /has nothing, which is no key of ours/],
    ['messages/pages.de.json', '{"__proto__":"x"}', /which is no key of ours/],
    ['messages/pages.de.json', json({ help: 1 }), /has no text for help/],
    ['messages/pages.de.json', json({ help: ' ' }), /has no text for help/],
    ['messages/pages.de.json', json({ help: '{x}' }), /other places in help than ours: none/],
    ['messages/pages.de.json', json({ 'back-to': 'x' }), /places in back-to than ours: {place}/],
    ['messages/pages.xx.json', '{}', /is not named <area>\.<language>\.json/],
    ['messages/Pages.de.json', '{}', /is not named <area>\.<language>\.json/],
  ])('%s %#', (file, content, sentence) => {
    const read = () => readTheme(themeOf({ [file]: content }));
    if (!sentence) return expect(read).not.toThrow();
    expect(read).toThrow(sentence);
    expect(read).toThrow(/^THEME_DIR: [^\n]+$/);
  });

  it('names every mistake at once, when the server starts', async () => {
    const folder = themeOf({ 'page.html': '<script>', 'style.css': '</style>' });
    const starting = serve(testEnv(await emptyDatabase(), { THEME_DIR: folder }));
    await expect(starting).rejects.toMatchObject({
      name: 'SettingsError',
      mistakes: expect.arrayContaining([
        expect.stringContaining('style.css'),
        expect.stringContaining('page.html has no {{main}}'),
        expect.stringContaining('page.html has a <script'),
      ]),
    });
  });

  it.each([
    ['/nowhere/at/all', 'THEME_DIR names a folder that does not exist'],
    [join(themeOf({ a: '' }), 'a'), 'THEME_DIR names a file: name the folder'],
  ])('%s', (folder, sentence) => {
    expect(() => readTheme(folder)).toThrow(sentence);
  });
});
