import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { startLimited, times } from '#test/support/limited';
import { addApp, totpCode } from '#test/support/second-factor';
import { statementsOf } from '#test/support/statements';

// M-04. With the limits of the default settings, but for the first pause of a second: on a busy machine it is over too soon.
const app = await startLimited({ LIMIT_LOGIN_FAILURES_PAUSE: '15m-15m' });
const { auth, ask, ctx, from, logIn, member, unused, User } = app;
const sent = statementsOf(User.sequelize);

async function withFactor() {
  const me = await member();
  const mine = (method: string, path: string, question: object = {}) =>
    ask(method, path, { token: me.token, ...from(me.ip), ...question });
  return { ...me, mine, ...(await addApp(ctx, { ask: mine })) };
}
type Person = Awaited<ReturnType<typeof withFactor>>;
async function begin({ username }: Person, ip: string) {
  const { status, body, text } = await logIn(ip, username, password);
  expect([status, body.code], text).toEqual([403, 'mfa_required']);
  return body.mfaToken as string;
}
const finish = (ip: string, mfaToken: string, answer: object) =>
  ask('POST', '/auth/mfa', { body: { mfaToken, ...answer }, ...from(ip) });
const wrong = ({ secret }: Person) => ({ code: totpCode(secret, ctx.clock.now(), 1000) });
/** A guess by somebody who knows the password, with a token and a network of its own. */
async function guess(ada: Person) {
  const ip = unused();
  return finish(ip, await begin(ada, ip), wrong(ada));
}

it('ten wrong codes lock the account for strangers, over all tokens and networks', async () => {
  const ada = await withFactor();
  for (const { status } of await times(10, () => guess(ada))) expect(status).toBe(401);
  // What counts the failures counts both steps, so the right password is not compared any more.
  const ip = unused();
  const locked = await logIn(ip, ada.username, password);
  expect([locked.status, locked.body.code]).toEqual([401, 'invalid_credentials']);
});

it('nor does a token help that was got before', async () => {
  const ada = await withFactor();
  const tokens = await times(4, async () => {
    const ip = unused();
    return [ip, await begin(ada, ip)] as const;
  });
  for (const [ip, mfaToken] of tokens.slice(0, 3))
    await times(4, () => finish(ip, mfaToken, wrong(ada)));
  const [ip, mfaToken] = tokens[3]!;
  const { status, body } = await finish(ip, mfaToken, { code: ada.code() });
  expect([status, body.code]).toEqual([401, 'invalid_credentials']);
});

it('twenty at once are counted, too', async () => {
  const ada = await withFactor();
  const tokens = await times(20, async () => {
    const ip = unused();
    return [ip, await begin(ada, ip)] as const;
  });
  await Promise.all(tokens.map(([ip, mfaToken]) => finish(ip, mfaToken, wrong(ada))));
  const [ip, mfaToken] = tokens[0]!;
  expect((await finish(ip, mfaToken, { code: ada.code() })).status).toBe(401);
});

it('the owner at home comes in all the while, and gives strangers no new guesses', async () => {
  const ada = await withFactor();
  await times(10, () => guess(ada));
  const home = await begin(ada, ada.ip);
  const owner = await finish(ada.ip, home, { code: ada.code() });
  expect(owner.status, owner.text).toBe(200);
  expect((await logIn(unused(), ada.username, password)).status).toBe(401);
});

it('a right code forgets the wrong ones, and a right password does not', async () => {
  const ada = await withFactor();
  await times(9, () => guess(ada));
  const ip = unused();
  const mfaToken = await begin(ada, ip);
  expect((await finish(ip, mfaToken, { code: ada.code() })).status).toBe(200);
  expect((await guess(ada)).status).toBe(401);
  await begin(ada, unused());
});

it.each<[what: string, work: (ada: Person) => Promise<unknown>]>([
  [
    'a password reset by mail',
    async ({ id }) => {
      const { issueToken } = await import('#src/one-time-tokens/one-time-tokens');
      const email = `${id}@example.com`;
      await User.update({ email, emailCanonical: email }, { where: { id } });
      const token = await issueToken(ctx, 'reset password', 60, { userId: id, data: email });
      const { status } = await ask('POST', '/auth/password/reset', {
        body: { token, password },
        ...from(unused()),
      });
      expect(status).toBe(204);
    },
  ],
])('%s gives a guesser no new guesses at the code', async (_what, work) => {
  const ada = await withFactor();
  await times(10, () => guess(ada));
  await work(ada);
  const ip = unused();
  const mfaToken = await begin(ada, ip); // the password is compared again
  const answer = await finish(ip, mfaToken, { code: ada.code() });
  expect([answer.status, answer.body.code]).toEqual([401, 'invalid_credentials']);
  await auth.users.forgetFailures(ada.username);
  const again = await begin(ada, ip);
  expect((await finish(ip, again, { code: ada.code() })).status).toBe(200);
});

it('a network is limited, whoever is guessed at', async () => {
  const ada = await withFactor();
  const ip = unused();
  const mfaToken = await begin(ada, ip);
  const answers = await times(40, () => finish(ip, 'x'.repeat(43), wrong(ada)));
  expect(answers.every(({ status }) => status === 400 || status === 429)).toBe(true);
  const wrongOnes = await times(31, () => finish(ip, mfaToken, wrong(ada)));
  expect(wrongOnes.at(-1)!.status).toBe(429);
});

it('is announced with the user and the strategy', async () => {
  const ada = await withFactor();
  const seen: object[] = [];
  const stops = [
    auth.on('session.refused', (event) => void seen.push(event)),
    auth.on('session.challenged', (event) => void seen.push(event)),
  ];
  const ip = unused();
  await finish(ip, await begin(ada, ip), wrong(ada));
  expect(seen).toEqual([
    { userId: ada.id, strategy: 'local', ip },
    { userId: ada.id, strategy: 'local', ip },
  ]);
  for (const stop of stops) stop();
});

// M-14
it('a wrong password gets the same bytes and statements, with a factor and without', async () => {
  const [ada, bob] = [await withFactor(), await member()];
  const answers = [];
  for (const { ip, username } of [ada, bob]) {
    sent.length = 0;
    const { status, body, headers } = await logIn(ip, username, 'wrong');
    const { requestId: _its, ...same } = body;
    const names = [...headers.keys()].filter((name) => name !== 'date').sort();
    answers.push({ status, same, names, statements: sent.length });
  }
  expect(answers[0]).toEqual(answers[1]);
});

it('a sign-in with two factors takes a fixed number of statements', async () => {
  const ada = await withFactor();
  const counts: number[] = [];
  for (let i = 0; i < 3; i++) {
    sent.length = 0;
    const mfaToken = await begin(ada, ada.ip);
    const first = sent.length;
    const answer = { recoveryCode: ada.recoveryCodes[i] };
    expect((await finish(ada.ip, mfaToken, answer)).status).toBe(200);
    counts.push(first, sent.length - first);
  }
  expect(counts.slice(2, 4)).toEqual(counts.slice(4));
  expect(Math.max(...counts)).toBeLessThan(30);
});
