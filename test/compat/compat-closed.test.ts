import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { expectSaid, startEach, frontEnds } from '#test/support/compat';

const env = { SIGNUP: 'closed' };
const apps = await startEach(env);

describe.each(frontEnds.map((frontEnd) => ({ ...frontEnd, frontEnd })))(
  'SIGNUP=closed in $name',
  ({ name, newcomer, signUp, complaint }) => {
    it('refuses a stranger in its own words, whatever they send, and makes nobody', async () => {
      const { say, User } = apps[name]!;
      const said = [
        403,
        complaint(
          'Sign-up is closed here. Ask those who run this service to make an account for you.',
        ),
      ] as const;
      const good = newcomer('ada');
      const more = [
        {},
        { roles: ['user'] },
        { roles: ['root'] },
        { roles: ['admin'] },
        { password: '12345678' },
      ];
      for (const fields of more)
        await expectSaid(say('POST', signUp, { json: { ...good, ...fields } }), ...said);
      await expectSaid(say('POST', signUp, { form: { ...good, password } }), ...said);
      expect(await User.count()).toBe(0);
    });
  },
);
