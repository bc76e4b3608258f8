import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { frontEnds, startAdapters, type FrontEnd } from '#test/support/compat';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const required = { ...mailbox.env, EMAIL_VERIFICATION: 'required' };
const adapters = ['bezkoder,zohaib,devckano', 'bezkoder-cookies', 'grokonez', 'grokonez-react'];

const post = async (url: string, path: string, body: object) => {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
};
const withAdapters = (names: string) =>
  frontEnds.filter(({ name }) => names.split(',').includes(name));
const said = ({ name, complaint }: FrontEnd, sentence: string) => {
  const body = complaint(sentence);
  return name.startsWith('grokonez') ? body : JSON.stringify(body);
};

describe.each(adapters)('what a form shows with %s', async (DIALECTS) => {
  const strict = await startAdapters(DIALECTS, required);
  const limited = await startAdapters(DIALECTS, { LIMITS: 'on', BCRYPT_COST: '10' });

  it.each(withAdapters(DIALECTS))('tells in $name whom to ask for an account', async (frontEnd) => {
    expect(await post(strict.url, frontEnd.signUp, frontEnd.newcomer('ada'))).toEqual({
      status: 403,
      text: said(
        frontEnd,
        'Sign-up is closed here. Ask those who run this service to make an account for you.',
      ),
    });
  });

  it.each(withAdapters(DIALECTS).filter(({ name }) => name !== 'devckano'))(
    'tells in $name what to do about an address that is not confirmed',
    async (frontEnd) => {
      const name = strict.unusedName();
      const email = `${name}@example.com`;
      await strict.auth.users.create({ username: name, email, password });
      const body = { [frontEnd.field]: frontEnd.who(name), password };
      expect(await post(strict.url, frontEnd.signIn, body)).toEqual({
        status: 403,
        text: said(
          frontEnd,
          'Your e-mail address is not confirmed yet. Open the link in the mail that we sent to you, then sign in again.',
        ),
      });
    },
  );

  it.each(withAdapters(DIALECTS))('tells in $name when to try again', async (frontEnd) => {
    const attempt = () =>
      post(limited.url, frontEnd.signIn, { [frontEnd.field]: frontEnd.who('nobody'), password });
    let last = await attempt();
    for (let i = 0; i < 40 && last.status !== 429; i++) last = await attempt();
    expect(last.status).toBe(429);
    expect(last.text).toMatch(
      /There were too many attempts\. Please try again in \d+ (second|minute|hour)s?\./,
    );
  });
});
