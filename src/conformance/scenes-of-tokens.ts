import { pass, says } from '#src/conformance/proxy';
import {
  allAnswered,
  expire,
  LATE_MS,
  refreshes,
  signedIn,
  staysSignedIn,
  together,
  type Scene,
} from '#src/conformance/scene';
import { HOUR, ME, MINUTE, must, type Stage } from '#src/conformance/stage';

const MANY = 20;

/** The clocks differ. Neither is to be asked. */
async function clocksDiffer(stage: Stage): Promise<void> {
  const tab = await signedIn(stage);
  for (let i = 0; i < 3; i++) await staysSignedIn(tab, 'where the clocks differ');
  refreshes(stage, 0, 'the access token had not run out');
  expire(stage);
  await staysSignedIn(tab, 'where the clocks differ');
  await staysSignedIn(tab, 'where the clocks differ');
  refreshes(stage, 1, 'it judges by the clock of the device');
}

/** Tabs, clocks and refusals: what is in the store is what the client must use. */
export const scenesOfTokens: readonly Scene[] = [
  {
    name: 'clock-fast',
    title: 'The clock of the client is two days fast',
    rules: [6],
    daysAhead: -2,
    play: clocksDiffer,
  },
  {
    name: 'clock-slow',
    title: 'The clock of the client is two days slow',
    rules: [6],
    daysAhead: 2,
    play: clocksDiffer,
  },
  {
    name: 'many-requests',
    title: `${MANY} requests at once find that the access token has run out`,
    rules: [2],
    async play(stage) {
      const tab = await signedIn(stage);
      expire(stage);
      together(stage, MANY);
      allAnswered(await tab.get(MANY));
      refreshes(stage, 1, 'one is enough for all of them');
    },
  },
  {
    name: 'three-tabs',
    title: 'Three tabs refresh at once, and later one after the other',
    rules: [2],
    async play(stage) {
      const first = await signedIn(stage);
      const others = [await stage.open({ like: first }), await stage.open({ like: first })];
      const tabs = [first, ...others];
      for (const tab of others) await staysSignedIn(tab, 'in a second tab');
      expire(stage);
      together(stage, 2 * tabs.length);
      const all = await Promise.all(tabs.map((tab) => tab.get(2)));
      allAnswered(all.flat());
      refreshes(stage, tabs.length, 'one for each tab, at most');
      expire(stage);
      for (const tab of tabs) {
        await staysSignedIn(tab, 'in a tab that did not read what another had stored');
        stage.forward(MINUTE);
      }
    },
  },
  {
    name: 'late-refusal',
    title: 'A request is refused when another one has refreshed already',
    rules: [5],
    async play(stage) {
      const tab = await signedIn(stage);
      expire(stage);
      const { promise: refreshed, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, LATE_MS); // a client may send one after the other
      stage.proxy.next(
        ME,
        async ({ ask }) => {
          const answer = await ask();
          await refreshed;
          return answer;
        },
        pass,
        async ({ ask }) => {
          const answer = await ask();
          resolve();
          return answer;
        },
      );
      allAnswered(await tab.get(2));
      clearTimeout(timer);
      refreshes(stage, 1, 'the refused token was not the one in the store any more');
    },
  },
  {
    name: 'no-loop',
    title: 'A request is refused with 401 whatever token it has',
    rules: [5],
    async play(stage) {
      const tab = await signedIn(stage);
      const refusal = { status: 401, code: 'token_expired', action: 'refresh', title: 'No' };
      stage.proxy.all(ME, says(401, refusal));
      await tab.get();
      refreshes(stage, 1, 'it goes round in circles');
      must(stage.proxy.of(ME).length <= 2, 'It repeated the request more than once');
      stage.proxy.forget();
      await staysSignedIn(tab, 'by a 401 that is not about the session');
    },
  },
  {
    name: 'wrong-password',
    title: 'A password is wrong: 401 with the action fix_request',
    rules: [5],
    async play(stage) {
      const tab = await signedIn(stage);
      const body = { password: 'not the password' };
      const status = await tab.request('POST', '/auth/reauthenticate', body);
      must(status === 401, `The answer was ${status}, not the 401 of the server`);
      refreshes(stage, 0, 'the password was wrong, not the token');
      await staysSignedIn(tab, 'by a wrong password');
    },
  },
  {
    name: 'new-password',
    title: 'A new password brings new tokens',
    rules: [8],
    async play(stage) {
      const tab = await signedIn(stage);
      const { user } = stage;
      const newPassword = `${user.password}2`;
      const body = { currentPassword: user.password, newPassword };
      const status = await tab.request('PUT', '/me/password', body);
      must(status === 200, `The new password was answered ${status}`);
      user.password = newPassword;
      await staysSignedIn(tab, 'by a new password');
      expire(stage);
      await staysSignedIn(tab, 'after a new password');
    },
  },
  {
    name: 'duplicated-tab',
    title: 'A tab is duplicated, with its storage',
    rules: [2],
    async play(stage) {
      const tab = await signedIn(stage, { ofTab: true });
      const copy = await stage.open({ ofTab: true, copyOf: tab });
      for (let i = 0; i < 2; i++) {
        stage.forward(HOUR);
        await copy.get();
        stage.forward(HOUR);
        await staysSignedIn(tab, 'by the copy of its tab, which used the same tokens');
      }
    },
  },
];
