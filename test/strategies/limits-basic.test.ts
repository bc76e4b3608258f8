import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { startLimited, statuses, times } from '#test/support/limited';

const { ask, from, logIn, member, unused } = await startLimited({ BASIC_AUTH: 'on' });
const by = (ip: string, name: string, secret: string) =>
  ask('GET', '/me', {
    headers: {
      ...from(ip).headers,
      authorization: `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`,
    },
  });

it('guesses by Basic and at /auth/login are one count: after ten the right password opens neither', async () => {
  const { username, ip: home } = await member();
  const stranger = unused();
  expect(statuses(await times(5, () => by(stranger, username, 'not the password')))).toEqual([401]);
  expect(statuses(await times(5, () => logIn(stranger, username)))).toEqual([401]);
  expect((await by(stranger, username, password)).body.code).toBe('invalid_credentials');
  expect((await logIn(stranger, username, password)).body.code).toBe('invalid_credentials');
  expect((await by(home, username, password)).status).toBe(200); // where its owner signed in before
});

it('a right password by Basic makes good what was counted', async () => {
  const { username } = await member();
  const elsewhere = unused();
  for (let round = 0; round < 3; round++) {
    await times(8, () => by(elsewhere, username, 'not the password'));
    expect((await by(elsewhere, username, password)).status).toBe(200);
  }
});
