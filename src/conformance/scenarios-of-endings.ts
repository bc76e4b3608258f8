import { says } from '#src/conformance/proxy';
import {
  expire,
  isIn,
  isSignedOut,
  refreshes,
  signedIn,
  staysSignedIn,
  type Scenario,
} from '#src/conformance/scenario';
import { HOUR, must, REFRESH, Unsupported, type Environment } from '#src/conformance/environment';

/** The refresh token that the client holds. */
async function heldBy(environment: Environment, run: () => Promise<unknown>): Promise<string> {
  expire(environment);
  await run();
  const { body = '{}' } = environment.proxy.of(REFRESH)[0]?.answer ?? {};
  const { refreshToken } = JSON.parse(body) as { refreshToken?: string };
  must(refreshToken !== undefined, 'It did not refresh when the access token had run out');
  return refreshToken!;
}

/** Sessions that end, and one that does not. */
export const scenariosOfEndings: readonly Scenario[] = [
  {
    name: 'unknown-token',
    title: 'A server that is set up wrongly does not know the refresh token',
    rules: [4],
    async run(environment) {
      const tab = await signedIn(environment);
      expire(environment);
      const refusal = { status: 400, code: 'invalid_grant', action: 'sign_in', title: 'Unknown' };
      environment.proxy.all(
        REFRESH,
        says(400, { ...refusal, reason: 'unknown', sessionStatus: 'unknown' }),
      );
      must(!isIn((await tab.get())[0]!), 'A request without a good token was answered');
      refreshes(environment, 1, 'the server has no other answer');
      await tab.kill();
      environment.proxy.forget();
      await staysSignedIn(await environment.open({ like: tab }), 'though the session never ended');
    },
  },
  {
    name: 'stolen-token',
    title: 'A thief has used the refresh token: the session ends',
    rules: [4, 5],
    async run(environment) {
      const tab = await signedIn(environment);
      const refreshToken = await heldBy(environment, () => tab.get());
      const { body } = await environment.elsewhere('POST', '/auth/refresh', {
        body: { refreshToken },
      });
      if (body['reason'] === 'key')
        throw new Unsupported('Its tokens are bound to a key (DPoP): a thief cannot use them');
      const thief = await environment.elsewhere('GET', '/me', {
        token: String(body['accessToken']),
      });
      must(thief.status === 200, 'The thief could not use the token');
      environment.forward(HOUR);
      environment.proxy.forget();
      must(!isIn((await tab.get())[0]!), 'A request of an ended session was answered');
      await isSignedOut(environment, tab);
    },
  },
  {
    name: 'ended-elsewhere',
    title: 'The session is ended on another device',
    rules: [4, 5],
    async run(environment) {
      const tab = await signedIn(environment);
      const { identifier, password } = environment.user;
      const body = { identifier, password };
      const { body: other } = await environment.elsewhere('POST', '/auth/login', { body });
      const token = String(other['accessToken']);
      const { status } = await environment.elsewhere('DELETE', '/me/sessions', { token });
      must(status === 204, `Ending the other sessions was answered ${status}`);
      must(!isIn((await tab.get())[0]!), 'A request of an ended session was answered');
      await isSignedOut(environment, tab);
    },
  },
];
