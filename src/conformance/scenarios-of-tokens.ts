import { pass, says } from '#src/conformance/proxy';
import {
  allAnswered,
  expire,
  LATE_MS,
  refreshes,
  signedIn,
  staysSignedIn,
  together,
  type Scenario,
} from '#src/conformance/scenario';
import { HOUR, ME, MINUTE, must, type Environment } from '#src/conformance/environment';

const MANY = 20;

/** The clocks differ. Neither is to be asked. */
async function clocksDiffer(environment: Environment): Promise<void> {
  const tab = await signedIn(environment);
  for (let i = 0; i < 3; i++) await staysSignedIn(tab, 'where the clocks differ');
  refreshes(environment, 0, 'the access token had not run out');
  expire(environment);
  await staysSignedIn(tab, 'where the clocks differ');
  await staysSignedIn(tab, 'where the clocks differ');
  refreshes(environment, 1, 'it judges by the clock of the device');
}

/** Tabs, clocks and refusals: what is in the store is what the client must use. */
export const scenariosOfTokens: readonly Scenario[] = [
  {
    name: 'clock-fast',
    title: 'The clock of the client is two days fast',
    rules: [6],
    daysAhead: -2,
    run: clocksDiffer,
  },
  {
    name: 'clock-slow',
    title: 'The clock of the client is two days slow',
    rules: [6],
    daysAhead: 2,
    run: clocksDiffer,
  },
  {
    name: 'many-requests',
    title: `${MANY} requests at once find that the access token has run out`,
    rules: [2],
    async run(environment) {
      const tab = await signedIn(environment);
      expire(environment);
      together(environment, MANY);
      allAnswered(await tab.get(MANY));
      refreshes(environment, 1, 'one is enough for all of them');
    },
  },
  {
    name: 'three-tabs',
    title: 'Three tabs refresh at once, and later one after the other',
    rules: [2],
    async run(environment) {
      const first = await signedIn(environment);
      const others = [
        await environment.open({ like: first }),
        await environment.open({ like: first }),
      ];
      const tabs = [first, ...others];
      for (const tab of others) await staysSignedIn(tab, 'in a second tab');
      expire(environment);
      together(environment, 2 * tabs.length);
      const all = await Promise.all(tabs.map((tab) => tab.get(2)));
      allAnswered(all.flat());
      refreshes(environment, tabs.length, 'one for each tab, at most');
      expire(environment);
      for (const tab of tabs) {
        await staysSignedIn(tab, 'in a tab that did not read what another had stored');
        environment.forward(MINUTE);
      }
    },
  },
  {
    name: 'late-refusal',
    title: 'A request is refused when another one has refreshed already',
    rules: [5],
    async run(environment) {
      const tab = await signedIn(environment);
      expire(environment);
      const { promise: refreshed, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, LATE_MS); // a client may send one after the other
      environment.proxy.next(
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
      refreshes(environment, 1, 'the refused token was not the one in the store any more');
    },
  },
  {
    name: 'no-loop',
    title: 'A request is refused with 401 whatever token it has',
    rules: [5],
    async run(environment) {
      const tab = await signedIn(environment);
      const refusal = { status: 401, code: 'token_expired', action: 'refresh', title: 'No' };
      environment.proxy.all(ME, says(401, refusal));
      await tab.get();
      refreshes(environment, 1, 'it goes round in circles');
      must(environment.proxy.of(ME).length <= 2, 'It repeated the request more than once');
      environment.proxy.forget();
      await staysSignedIn(tab, 'by a 401 that is not about the session');
    },
  },
  {
    name: 'wrong-password',
    title: 'A password is wrong: 401 with the action fix_request',
    rules: [5],
    async run(environment) {
      const tab = await signedIn(environment);
      const body = { password: 'not the password' };
      const status = await tab.request('POST', '/auth/reauthenticate', body);
      must(status === 401, `The answer was ${status}, not the 401 of the server`);
      refreshes(environment, 0, 'the password was wrong, not the token');
      await staysSignedIn(tab, 'by a wrong password');
    },
  },
  {
    name: 'new-password',
    title: 'A new password brings new tokens',
    rules: [8],
    async run(environment) {
      const tab = await signedIn(environment);
      const { user } = environment;
      const newPassword = `${user.password}2`;
      const body = { currentPassword: user.password, newPassword };
      const status = await tab.request('PUT', '/me/password', body);
      must(status === 200, `The new password was answered ${status}`);
      user.password = newPassword;
      await staysSignedIn(tab, 'by a new password');
      expire(environment);
      await staysSignedIn(tab, 'after a new password');
    },
  },
  {
    name: 'duplicated-tab',
    title: 'A tab is duplicated, with its storage',
    rules: [2],
    async run(environment) {
      const tab = await signedIn(environment, { ofTab: true });
      const copy = await environment.open({ ofTab: true, copyOf: tab });
      for (let i = 0; i < 2; i++) {
        environment.forward(HOUR);
        await copy.get();
        environment.forward(HOUR);
        await staysSignedIn(tab, 'by the copy of its tab, which used the same tokens');
      }
    },
  },
];
