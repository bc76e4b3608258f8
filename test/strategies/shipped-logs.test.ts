import { expect, it } from 'vitest';
import { newKey } from '#src/api-keys/key';
import { browser } from '#test/support/browser';
import { emptyDatabase } from '#test/support/database';
import { hasDirectory, ADMIN, BASE, person, startDirectory } from '#test/support/directory';
import { client, says, startGitHub } from '#test/support/github';
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
import { settingsFor, startProcess } from '#test/support/process';

const APP = 'http://127.0.0.1:9/signed-in';
const secret = 'canary horse battery';

/** What nobody may read in a log, in any of the forms in which it went over a wire. */
const forms = (text: string) => [
  text,
  Buffer.from(text).toString('base64'),
  encodeURIComponent(text),
];

it('no way in leaves a password, a code, a token, an assertion, a cookie or a setting in the log', async () => {
  const idp = newIdentity();
  const github = await startGitHub({});
  const directory = hasDirectory
    ? await startDirectory(person('ada', { userPassword: secret }))
    : { url: 'ldap://127.0.0.1:9' };
  const port = await freePort();
  const here = `http://127.0.0.1:${port}`;
  const settings = {
    PORT: String(port),
    PUBLIC_URL: here,
    LOG_LEVEL: 'debug',
    REDIRECT_URIS: 'http://127.0.0.1/signed-in',
    API_KEYS: 'on',
    BASIC_AUTH: 'on',
    GITHUB_URL: github.url,
    GITHUB_CLIENT_ID: client.id,
    GITHUB_CLIENT_SECRET: client.secret,
    LDAP_URL: directory.url,
    LDAP_BIND_DN: ADMIN,
    LDAP_BIND_PASSWORD: 'canary that is wrong',
    LDAP_SEARCH_BASE: BASE,
    SAML_ENTRY_POINT: ENTRY,
    SAML_IDP_CERT: idp.oneLine,
    SAML_ISSUER: 'sp',
  };
  const server = await startProcess(settingsFor(await emptyDatabase(), settings));
  const { ask } = server;
  const secrets = [...forms(secret), settings.LDAP_BIND_PASSWORD, client.secret];

  const registered = await ask('POST', '/auth/register', {
    body: { username: 'ada', password: secret },
  });
  expect(registered.status).toBe(201);
  for (const pair of [`ada:${secret}`, `ada:${secret}!`, `canary-name:${secret}`, `:${secret}`]) {
    secrets.push(Buffer.from(pair).toString('base64'));
    await ask('GET', '/me', {
      headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` },
    });
  }
  const token: string = registered.body.accessToken;
  const { key } = (await ask('POST', '/me/api-keys', { token, body: { name: 'a script' } }))
    .body as { key: string };
  const strange = newKey();
  secrets.push(key.slice(3, 35), strange.slice(3, 35));
  for (const each of [key, strange, `${key}x`])
    await ask('GET', '/me', { headers: { 'x-api-key': each } });
  expect((await ask('GET', `/me?key=${key}`)).status).toBe(401);
  expect((await ask('GET', `/${key}`)).status).toBe(404);

  const failed = await ask('POST', '/auth/ldap', {
    body: { username: 'canary-name', password: secret },
  });
  expect(failed.body.code).toBe('unavailable');

  // GitHub says the codes and tokens that it was sent in its errors.
  for (const path of ['/login/oauth/access_token', '/api/v3/user']) {
    const tab = browser();
    github.instead[path] = says(
      '{"error":"bad_code","error_description":"gho_canary0123456789012345678901234567890123"}',
      400,
    );
    const { address, codeVerifier, codeChallenge } = authorizationRequest(here, 'github', APP);
    const { url, trail } = await tab.open(address, APP);
    expect(url.searchParams.get('error')).toBe('server_error');
    const back = new URL(trail[2]!.url).searchParams;
    secrets.push(
      back.get('code')!,
      back.get('state')!,
      codeVerifier,
      codeChallenge,
      'gho_canary0123456789012345678901234567890123',
    );
    secrets.push(
      ...trail.flatMap(({ cookies }) =>
        cookies.map((cookie) => /=([\w-]{40,})/.exec(cookie)?.[1] ?? 'no cookie at all'),
      ),
    );
    delete github.instead[path];
  }

  const tab = browser();
  const { relayState, id } = requestIn(
    (await tab.open(authorizationRequest(here, 'saml', APP).address, ENTRY)).url,
  );
  const said = {
    inResponseTo: id,
    recipient: `${here}/auth/saml/callback`,
    audience: 'somebody else',
    nameId: 'canary-name',
  };
  const xml = sign(envelope(assertion(said), said), idp);
  const SAMLResponse = Buffer.from(xml).toString('base64');
  const landing = await tab.open(`${here}/auth/saml/callback`, APP, {
    form: { SAMLResponse, RelayState: relayState },
  });
  expect(landing.url.searchParams.get('error')).toBe('server_error');
  secrets.push(SAMLResponse.slice(0, 60), xml.slice(200, 260), relayState, 'canary-name');

  const { stdout, stderr } = await server.kill('SIGTERM');
  for (const reason of [
    'refuses LDAP_BIND_DN',
    'api_key.made',
    '"code":"bad_code"',
    'Failed to fetch user profile',
    'audience mismatch',
  ].slice(hasDirectory ? 0 : 1))
    expect(stdout).toContain(reason);
  for (const canary of new Set(secrets))
    expect((stdout + stderr).includes(canary), canary).toBe(false);
});
