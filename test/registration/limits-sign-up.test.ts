import { expect, it } from 'vitest';
import { startLimited, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const { ask, from, unused, signUp, logIn, SignUp, User } = await startLimited({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'required',
});
const [known, unknown] = ['known@example.com', 'unknown@example.com'];
const password = 'correct horse battery';

it('sends five mails an hour to an address that somebody signs up with, and keeps no more than it sends', async () => {
  expect(
    (await signUp(unused(), { email: known, password: 'what its owner has chosen' })).status,
  ).toBe(202);
  await ask('POST', '/auth/email/verify', {
    body: { ...(await mailbox.next(known)).secrets, password: 'what its owner has chosen' },
    ...from(unused()),
  });
  expect(await User.count({ where: { emailCanonical: known } })).toBe(1);
  const answers = [];
  for (const email of [known, unknown])
    answers.push(await times(7, async () => (await signUp(unused(), { email })).text));
  expect(new Set(answers.flat())).toEqual(new Set(['{"status":"verification_required"}']));
  expect(await SignUp.count({ where: { emailCanonical: known } })).toBe(4); // one was confirmed
  expect(await SignUp.count({ where: { emailCanonical: unknown } })).toBe(5);
});

it('counts sign-ins before the confirmation alike, whether or not the address is known', async () => {
  const outcomes = [];
  for (const email of [known, unknown])
    outcomes.push(await times(12, async () => (await logIn(unused(), email, password)).status));
  expect(outcomes[0]).toEqual(outcomes[1]);
  expect(outcomes[0]).toContain(403);
  expect(outcomes[0]!.at(-1)).toBe(401);
});
