import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { browser, type Landing } from '#test/support/browser';
import { client, person, startGitHub } from '#test/support/github';
import { formsIn, visitor } from '#test/support/hosted';
import {
  assertion,
  ENTRY,
  envelope,
  newIdentity,
  requestIn,
  sign,
} from '#test/support/identity-provider-saml';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';
import { addApp } from '#test/support/second-factor';

const APP = 'http://127.0.0.1:9/signed-in';
const idp = newIdentity();
const octo = person(7, 'octo', ['octo@example.com', true]);
const github = await startGitHub({ octo });
github.state.signedIn = 'octo';
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const { ctx, ask, register, Session, User } = await startApp({
  HOST: '127.0.0.1',
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  GITHUB_URL: github.url,
  GITHUB_CLIENT_ID: client.id,
  GITHUB_CLIENT_SECRET: client.secret,
  SAML_ENTRY_POINT: ENTRY,
  SAML_IDP_CERT: idp.oneLine,
  SAML_ISSUER: 'sp',
  SAML_EMAIL_DOMAINS: 'corp.test',
});
const SECOND_FACTOR = `${here}/sign-in/second-factor`;

type Visitor = ReturnType<typeof visitor>;
type Tab = ReturnType<typeof browser>;
/** Comes back from a provider: to the app, or to a page of the server. */
type Way = (tab: Tab, address: string) => Promise<Landing>;
const ways: [strategy: string, email: string, way: Way][] = [
  ['github', 'octo@example.com', (tab, address) => tab.open(address, APP)],
  [
    'saml',
    'ida@corp.test',
    async (tab, address) => {
      const { id, relayState } = requestIn((await tab.open(address, ENTRY)).url);
      const callback = `${here}/auth/saml/callback`;
      const said = {
        inResponseTo: id,
        recipient: callback,
        destination: callback,
        audience: 'sp',
        attributes: { email: 'ida@corp.test' },
      };
      const response = sign(envelope(assertion(said), said), idp);
      const form = {
        SAMLResponse: Buffer.from(response).toString('base64'),
        RelayState: relayState,
      };
      return tab.open(callback, APP, { form });
    },
  ],
];

/** Somebody on the hosted page follows the link that names a provider. */
async function signInBy(strategy: string, way: Way, ui_locales = 'en') {
  const app = visitor(here, APP);
  const tab = browser();
  const { text } = await tab.open(here + app.addressOf('/sign-in', { ui_locales }), APP);
  const address = new RegExp(`href="(/auth/${strategy}[^"]*)"`).exec(text)![1]!;
  return { app, tab, landing: await way(tab, here + address.replaceAll('&amp;', '&')) };
}
const answer = (tab: Tab, { text, url }: Landing, fields: Record<string, string>) => {
  const form = formsIn(text).find((each) =>
    Object.keys(fields).every((name) => name in each.fields),
  );
  return tab.open(new URL(form!.action, url).href, APP, {
    form: { ...form!.fields, ...fields },
    headers: { origin: here },
  });
};
const exchange = ({ codeVerifier }: Pick<Visitor, 'codeVerifier'>, { url }: Landing) =>
  ask('POST', '/auth/exchange', { body: { code: url.searchParams.get('code'), codeVerifier } });

describe.each(ways)('a sign-in with %s on the hosted page', (strategy, email, way) => {
  it('ends in the app, and after a second factor in a code that stands for it', async () => {
    const first = await signInBy(strategy, way);
    expect(first.landing.url.searchParams.get('state')).toBe(first.app.state);
    const { body } = await exchange(first.app, first.landing);
    expect(body).toMatchObject({ user: { email }, session: { strategy, acr: 'aal1' } });
    const mine = (method: string, path: string, question = {}) =>
      ask(method, path, { token: body.accessToken, ...question });
    const { code, recoveryCodes } = await addApp(ctx, { ask: mine });
    const before = await Session.count();

    const { app, tab, landing } = await signInBy(strategy, way, 'de');
    expect(landing.url.origin + landing.url.pathname).toBe(SECOND_FACTOR);
    expect(landing.text).toContain('<html lang="de"');
    expect(landing.text).toContain('autocomplete="one-time-code"');
    expect(landing.trail.map(({ url }) => url).join(' ')).not.toContain('mfaToken');
    const cookie = landing.trail
      .flatMap(({ cookies }) => cookies)
      .find((each) => /factor/.test(each));
    expect(cookie).toMatch(/; Path=\/; .*HttpOnly; SameSite=Lax$/);

    const again = await tab.open(landing.url.href, APP); // a phone has dropped the page meanwhile
    const wrong = await answer(tab, again, { code: '000000' });
    expect([wrong.status, wrong.text.includes('id="code-mistake"')]).toEqual([401, true]);
    const done = await answer(tab, wrong, { code: code() });
    expect(done.url.href.startsWith(APP)).toBe(true);
    expect(done.url.searchParams.get('state')).toBe(app.state);
    expect(await Session.count()).toBe(before);
    const { status, body: tokens } = await exchange(app, done);
    expect([status, tokens.user.email]).toEqual([200, email]);
    expect(tokens.session).toMatchObject({ strategy, acr: 'aal2' });
    expect(tokens.session.amr).toEqual(expect.arrayContaining(['fed', 'otp', 'mfa']));

    const late = await tab.open(landing.url.href, APP); // the token is spent
    expect(late.text).toContain('name="identifier"');
    const another = await signInBy(strategy, way);
    const recovered = await answer(another.tab, another.landing, {
      recoveryCode: recoveryCodes[0]!,
    });
    expect((await exchange(another.app, recovered)).body.session.acr).toBe('aal2');
  });

  it('asks in the browser and for the app only that began it (Y-04)', async () => {
    const { tab, landing } = await signInBy(strategy, way);
    expect(landing.url.href).toContain(SECOND_FACTOR);
    const elsewhere = await browser().open(landing.url.href, APP);
    expect(elsewhere.url.pathname).toBe('/sign-in');
    const otherApp = visitor(here, APP).addressOf('/sign-in/second-factor');
    const { text } = await tab.open(here + otherApp, APP);
    expect(text).toContain('name="identifier"');
    expect(text).not.toContain('name="mfaToken"');
  });

  it('tells the app what is refused, and signs nobody in', async () => {
    await User.update({ disabledAt: new Date() }, { where: { emailCanonical: email } });
    const { app, landing } = await signInBy(strategy, way);
    expect(Object.fromEntries(landing.url.searchParams)).toEqual({
      error: 'access_denied',
      error_description: expect.any(String),
      state: app.state,
    });
    await User.update({ disabledAt: null }, { where: { emailCanonical: email } });
  });

  it('stays as it was where an app begins it', async () => {
    const asked = authorizationRequest(here, strategy, APP);
    const landing = await way(browser(), asked.address);
    expect(landing.url.href.startsWith(APP)).toBe(true);
    const { status, body } = await exchange(asked, landing);
    expect([status, body.code]).toEqual([403, 'mfa_required']);
  });
});

it('an OAuth client gets a code that is for it only, whatever else is asked', async () => {
  const { id } = await register();
  expect(await Session.count({ where: { userId: id } })).toBe(1);
  const more = { clientId: 'a client', hostedLocale: 'de' };
  const asked = authorizationRequest(here, 'github', APP, more);
  const landing = await browser().open(asked.address, APP);
  const { body } = await exchange(asked, landing);
  expect(body.code).toBe('invalid_code');
});
