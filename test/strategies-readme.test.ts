import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { departure } from '#test/support/pkce';
import { root, settingsFor, startProcess } from '#test/support/process';
import { password, testSecret } from '#test/support/app';

// Inside the repository, so that `#src/…` means what it does in strategies/.
const folder = mkdtempSync(join(root, 'test', '.readme-'));
afterAll(() => rmSync(folder, { recursive: true }));

const page = readFileSync(join(root, 'strategies', 'README.md'), 'utf8');
const examples = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code]) => code!);
const nameOf = (code: string) => /name: '(\w+)'/.exec(code)![1]!;
for (const code of examples) writeFileSync(join(folder, `${nameOf(code)}.ts`), code);

it('has two examples of at most 26 lines, which work as they stand', async () => {
  expect(examples.map(nameOf)).toEqual(['facebook', 'robot']);
  for (const code of examples) expect(code.trimEnd().split('\n').length).toBeLessThanOrEqual(26);
  const key = testSecret();
  const { ask, url } = await startProcess(
    settingsFor(await emptyDatabase(), {
      STRATEGIES_DIR: folder,
      REDIRECT_URIS: 'https://app.example.com/in',
      FACEBOOK_ID: 'an id',
      FACEBOOK_SECRET: 'a secret',
      ROBOT_KEY: key,
      ROBOT_USER: 'ada',
    }),
  );
  await ask('POST', '/auth/register', { body: { username: 'ada', password } });
  expect((await ask('GET', '/me', { headers: { 'x-robot-key': key } })).body.username).toBe('ada');
  expect((await ask('GET', '/me', { headers: { 'x-robot-key': `${key}x` } })).body.code).toBe('token_missing');

  const answer = await fetch(departure(url, 'facebook', 'https://app.example.com/in').address, { redirect: 'manual' });
  const target = new URL(answer.headers.get('location')!);
  expect(target.hostname).toBe('www.facebook.com');
  expect(target.searchParams.get('redirect_uri')).toMatch(/\/auth\/facebook\/callback$/);
  expect(target.searchParams.get('state')).toMatch(/^[\w-]{32}$/);
});
