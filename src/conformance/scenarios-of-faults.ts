import { cut, lost, says } from '#src/conformance/proxy';
import {
  expire,
  refreshes,
  signedIn,
  signsIn,
  staysSignedIn,
  until,
  waitedFor,
  type Scenario,
} from '#src/conformance/scenario';
import {
  DAY,
  HOUR,
  LOGIN,
  LOGOUT,
  ME,
  MINUTE,
  must,
  REFRESH,
  type Environment,
} from '#src/conformance/environment';

/** Seconds. */
const RETRY_AFTER = 2;
/** How long a client may take to tell the server of a sign-out, in milliseconds. */
const PATIENCE_MS = 10_000;
const unavailable = { status: 503, code: 'unavailable', action: 'wait', title: 'Away' };
const rateLimited = { status: 429, code: 'rate_limited', action: 'wait', title: 'Too much' };

/** The refresh is refused for a while, and the session lives. */
async function refusedForNow(environment: Environment, problem: { status: number }, lasts: number) {
  const tab = await signedIn(environment);
  expire(environment);
  environment.proxy.all(REFRESH, says(problem.status, problem, String(RETRY_AFTER)));
  await tab.get();
  waitedFor(environment, RETRY_AFTER);
  environment.forward(lasts);
  await environment.pause(RETRY_AFTER);
  environment.proxy.forget();
  await staysSignedIn(tab, `after a ${problem.status}`);
}

/** The process ends when the request with the new token has come this far. */
async function killedWith(environment: Environment, isDone: boolean): Promise<void> {
  const tab = await signedIn(environment);
  expire(environment);
  let isHeld = false;
  const { promise: killed, resolve } = Promise.withResolvers<undefined>();
  environment.proxy.next(
    ME,
    ({ ask }) => ask(),
    async ({ ask }) => {
      if (isDone) await ask();
      isHeld = true;
      return killed;
    },
  );
  const asked = tab.get().catch(() => {}); // a killed process answers nothing
  await until(() => isHeld, 'It did not repeat the request with a new token', asked);
  await tab.kill();
  resolve(undefined);
  environment.forward(isDone ? HOUR : DAY);
  await staysSignedIn(
    await environment.open({ like: tab }),
    'after the process was killed: it had not stored the new refresh token before it used it',
  );
}

/** Faults on the way and in the client: nobody is signed out by them. */
export const scenariosOfFaults: readonly Scenario[] = [
  {
    name: 'lost-reply',
    title: 'The reply of a refresh is lost, then the device sleeps for a day',
    rules: [3],
    async run(environment) {
      const tab = await signedIn(environment);
      expire(environment);
      environment.proxy.next(REFRESH, lost);
      environment.proxy.all(REFRESH, cut);
      await tab.get();
      waitedFor(environment, 0);
      environment.forward(DAY);
      environment.proxy.forget();
      await staysSignedIn(tab, 'after a lost reply: the refresh token was still good');
    },
  },
  {
    name: 'killed-before-use',
    title: 'The process is killed between storing the tokens and using them',
    rules: [1],
    run: (environment) => killedWith(environment, false),
  },
  {
    name: 'killed-during-use',
    title: 'The process is killed while it uses the new tokens for the first time',
    rules: [1],
    run: (environment) => killedWith(environment, true),
  },
  {
    name: 'storing-fails',
    title: 'The new tokens cannot be stored for once',
    rules: [1],
    async run(environment) {
      const tab = await signedIn(environment);
      expire(environment);
      await tab.failStorage();
      const before = environment.proxy.of(ME).length;
      await tab.get();
      const used = environment.proxy.of(ME).slice(before + 1);
      if (environment.proxy.of(REFRESH).length < 2)
        must(used.length === 0, 'It used tokens that it had not stored');
      await staysSignedIn(tab, 'after its storage failed once');
    },
  },
  {
    name: 'unavailable',
    title: 'The server answers 503 for a minute',
    rules: [3, 4],
    run: (environment) => refusedForNow(environment, unavailable, MINUTE),
  },
  {
    name: 'rate-limited',
    title: 'A refresh is answered 429 with Retry-After',
    rules: [3, 4],
    run: (environment) => refusedForNow(environment, rateLimited, RETRY_AFTER),
  },
  {
    name: 'request-unavailable',
    title: 'A request is answered 503',
    rules: [3, 5],
    async run(environment) {
      const tab = await signedIn(environment);
      environment.proxy.next(ME, says(503, unavailable, '1'));
      await tab.get();
      refreshes(environment, 0, 'a 503 is not about the tokens');
      await staysSignedIn(tab, 'after a request was answered 503');
    },
  },
  {
    name: 'portal',
    title: 'Something else answers a refresh with a page, once with 401 and once with 200',
    rules: [4],
    async run(environment) {
      const tab = await signedIn(environment);
      for (const status of [401, 200]) {
        expire(environment);
        environment.proxy.all(REFRESH, says(status, '<html>Welcome to our network</html>'));
        await tab.get();
        environment.proxy.forget();
        await staysSignedIn(tab, `after something else answered ${status}`);
      }
    },
  },
  {
    name: 'lost-sign-in',
    title: 'The reply of a sign-in is lost',
    rules: [11],
    async run(environment) {
      const tab = await environment.open();
      environment.proxy.all(LOGIN, lost);
      must((await tab.signIn()) !== 200, 'It says that a sign-in without an answer worked');
      const { length } = environment.proxy.of(LOGIN);
      must(length === 1, `It sent the sign-in ${length} times: each starts a session`);
      environment.proxy.forget();
      await signsIn(tab);
    },
  },
  {
    name: 'lost-sign-out',
    title: 'A sign-out does not arrive, and the app is closed',
    rules: [7],
    async run(environment) {
      const tab = await signedIn(environment);
      environment.proxy.all(LOGOUT, cut);
      await tab.signOut();
      must((await tab.get())[0] !== 200, 'It is still signed in after a sign-out');
      await tab.kill();
      environment.proxy.forget();
      const next = await environment.open({ like: tab });
      must((await next.get())[0] !== 200, 'It is signed in again after a restart');
      await signsIn(next);
      await until(
        () => environment.proxy.of(LOGOUT).some(({ answer }) => answer?.status === 204),
        'The server was never told of the sign-out, so the session stays open',
        undefined,
        PATIENCE_MS,
      );
    },
  },
];
