import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { verifyEmailMail } from '#src/email/mails';
import { openContext } from '#src/open-context';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testSecret } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { readMail } from '#test/support/mailbox';
import { emptyFolder, rowsOf, settingsFor, startProcess } from '#test/support/process';

const databaseUrl = await emptyDatabase();
const env = settingsFor(databaseUrl, { APP_SECRET: testSecret(), LOG_LEVEL: 'debug' });
const ctx = await openContext(parseSettings(settingsFrom({ ...env, LOG_LEVEL: 'silent' })));
afterAll(() => ctx.close());
const queue = () => {
  const link = linkTo(ctx.settings, '/verify', { token: 'canary' });
  return queueMail(ctx, 'canary@example.com', verifyEmailMail({ link, code: '012345' }));
};

const mode = (file: string) => (statSync(file).mode & 0o777).toString(8);

it('without SMTP_URL a mail becomes a file for its owner alone, and the log says where but not what', async () => {
  await queue();
  const cwd = emptyFolder();
  const { heard, kill } = await startProcess(env, { cwd, before: 'umask 0' });
  await eventually(async () =>
    expect(await rowsOf(databaseUrl, 'SELECT id FROM outgoing_mails')).toEqual([]),
  );
  const folder =
    engine === 'sqlite'
      ? join(dirname(databaseUrl.slice('sqlite:'.length)), 'outbox')
      : join(cwd, 'data', 'outbox');
  const [name, ...others] = readdirSync(folder);
  expect(others).toEqual([]);
  const file = join(folder, name!);
  expect([mode(folder), mode(file)]).toEqual(['700', '600']);
  const mail = await readMail(readFileSync(file));
  expect(mail).toMatchObject({
    subject: 'Confirm your e-mail address',
    code: '012345',
    secrets: { token: 'canary' },
  });
  expect(mail.source).toMatch(/^To: canary@example\.com\r$/m);

  await kill('SIGTERM');
  const lines = heard.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(
    expect.objectContaining({ level: 'info', template: 'verify-email', file }),
  );
  expect(lines).toContainEqual(
    expect.objectContaining({ event: 'mail.sent', template: 'verify-email' }),
  );
  expect(heard.stdout + heard.stderr).not.toMatch(/canary|012345|Confirm/);
});

it('while the mail server is away a mail waits, and the log says why but not whom for', async () => {
  await queue();
  const { heard, ask } = await startProcess({
    ...env,
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'a@b.example',
  });
  await eventually(() =>
    expect(heard.stdout).toContain('a mail was not sent, and will be tried again'),
  );
  expect((await ask('GET', '/readyz')).status).toBe(200);
  expect(heard.stdout).toContain('"why":"ESOCKET ECONNREFUSED CONN"');
  expect(heard.stdout + heard.stderr).not.toMatch(/canary|012345|Confirm/);
  expect(await rowsOf(databaseUrl, 'SELECT tries FROM outgoing_mails')).toMatchObject([
    { tries: 1 },
  ]);
});
