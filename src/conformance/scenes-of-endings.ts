import { says } from '#src/conformance/proxy';
import {
  expire,
  isIn,
  isSignedOut,
  refreshes,
  signedIn,
  staysSignedIn,
  type Scene,
} from '#src/conformance/scene';
import { HOUR, must, REFRESH, Unsupported, type Stage } from '#src/conformance/stage';

/** The refresh token that the client holds. */
async function heldBy(stage: Stage, play: () => Promise<unknown>): Promise<string> {
  expire(stage);
  await play();
  const { body = '{}' } = stage.proxy.of(REFRESH)[0]?.answer ?? {};
  const { refreshToken } = JSON.parse(body) as { refreshToken?: string };
  must(refreshToken !== undefined, 'It did not refresh when the access token had run out');
  return refreshToken!;
}

/** Sessions that end, and one that does not. */
export const scenesOfEndings: readonly Scene[] = [
  {
    name: 'unknown-token',
    title: 'A server that is set up wrongly does not know the refresh token',
    rules: [4],
    async play(stage) {
      const tab = await signedIn(stage);
      expire(stage);
      const refusal = { status: 400, code: 'invalid_grant', action: 'sign_in', title: 'Unknown' };
      stage.proxy.all(
        REFRESH,
        says(400, { ...refusal, reason: 'unknown', sessionStatus: 'unknown' }),
      );
      must(!isIn((await tab.get())[0]!), 'A request without a good token was answered');
      refreshes(stage, 1, 'the server has no other answer');
      await tab.kill();
      stage.proxy.forget();
      await staysSignedIn(await stage.open({ like: tab }), 'though the session never ended');
    },
  },
  {
    name: 'stolen-token',
    title: 'A thief has used the refresh token: the session ends',
    rules: [4, 5],
    async play(stage) {
      const tab = await signedIn(stage);
      const refreshToken = await heldBy(stage, () => tab.get());
      const { body } = await stage.elsewhere('POST', '/auth/refresh', { body: { refreshToken } });
      if (body['reason'] === 'key')
        throw new Unsupported('Its tokens are bound to a key (DPoP): a thief cannot use them');
      const thief = await stage.elsewhere('GET', '/me', { token: String(body['accessToken']) });
      must(thief.status === 200, 'The thief could not use the token');
      stage.forward(HOUR);
      stage.proxy.forget();
      must(!isIn((await tab.get())[0]!), 'A request of an ended session was answered');
      await isSignedOut(stage, tab);
    },
  },
  {
    name: 'ended-elsewhere',
    title: 'The session is ended on another device',
    rules: [4, 5],
    async play(stage) {
      const tab = await signedIn(stage);
      const { identifier, password } = stage.user;
      const body = { identifier, password };
      const { body: other } = await stage.elsewhere('POST', '/auth/login', { body });
      const token = String(other['accessToken']);
      const { status } = await stage.elsewhere('DELETE', '/me/sessions', { token });
      must(status === 204, `Ending the other sessions was answered ${status}`);
      must(!isIn((await tab.get())[0]!), 'A request of an ended session was answered');
      await isSignedOut(stage, tab);
    },
  },
];
