import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';

const mailbox = await openMailbox();
const { ask, register, logIn, User, Session } = await startApp({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'optional',
});
let people = 0;
const address = () => `racer${++people}@example.com`;
const verify = (secrets: object) => ask('POST', '/auth/email/verify', { body: secrets });
const refresh = (refreshToken: string) => ask('POST', '/auth/refresh', { body: { refreshToken } });

/** Somebody who has not confirmed their address yet, and the mail that asks them to. */
async function unconfirmed() {
  const email = address();
  const user = await register({ email });
  return { ...user, email, mail: await mailbox.next(email), now: () => User.findByPk(user.id) };
}

it('delete ∥ refresh: nobody is left behind, and no token of theirs is good', async () => {
  for (let round = 0; round < rounds(3, 100); round++) {
    const me = await register();
    const [deleted, refreshed] = await Promise.all([
      me.ask('DELETE', '/me', { body: { password } }),
      refresh(me.tokens.refreshToken),
      refresh(me.tokens.refreshToken),
    ]);
    expect(deleted.status).toBe(204);
    expect([200, 400]).toContain(refreshed.status);
    expect([
      await User.count({ where: { id: me.id } }),
      await Session.count({ where: { userId: me.id } }),
    ]).toEqual([0, 0]);
    if (refreshed.status === 200) {
      expect((await ask('GET', '/me', { token: refreshed.body.accessToken })).body.code).toBe(
        'session_ended',
      );
      expect((await refresh(refreshed.body.refreshToken)).status).toBe(400);
    }
  }
});

it('verify ∥ change of address: what is confirmed is the address that the mail went to', async () => {
  for (let round = 0; round < rounds(3, 100); round++) {
    const me = await unconfirmed();
    const to = address();
    await me.ask('POST', '/me/email', { body: { email: to, currentPassword: password } });
    const change = await mailbox.next(to);
    const [old, moved] = await Promise.all([verify(me.mail.secrets), verify(change.secrets)]);
    expect(moved.status).toBe(204);
    expect([204, 400]).toContain(old.status);
    expect(await me.now()).toMatchObject({ emailCanonical: to, emailVerifiedAt: expect.any(Date) });
    expect((await verify(me.mail.secrets)).status).toBe(400);
  }
});

it('verify ∥ change of address that nobody confirms: one of the two is confirmed, by its own mail', async () => {
  for (let round = 0; round < rounds(3, 100); round++) {
    const me = await unconfirmed();
    const [confirmed] = await Promise.all([
      verify(me.mail.secrets),
      me.ask('POST', '/me/email', { body: { email: address(), currentPassword: password } }),
    ]);
    expect(confirmed.status).toBe(204);
    expect(await me.now()).toMatchObject({
      emailCanonical: me.email,
      emailVerifiedAt: expect.any(Date),
    });
  }
});

it('two confirmations of two users for one address: one has it', async () => {
  for (let round = 0; round < rounds(3, 100); round++) {
    const [one, two] = [await unconfirmed(), await unconfirmed()];
    const to = address();
    const links: object[] = [];
    for (const me of [one, two]) {
      await me.ask('POST', '/me/email', { body: { email: to, currentPassword: password } });
      links.push((await mailbox.next(to)).secrets);
    }
    const answers = await Promise.all(links.map((secrets) => verify(secrets)));
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([204, 409]);
    expect(await User.count({ where: { emailCanonical: to } })).toBe(1);
    for (const me of [one, two]) expect((await logIn((await me.now())!.email!)).status).toBe(200);
  }
});
