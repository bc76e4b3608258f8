import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { settingsOf } from '#src/authentication/strategy-settings';
import { greeting } from '#src/greeting';
import { startApp } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { newIdentity } from '#test/support/identity-provider-saml';
import { loadWith } from '#test/support/loading';
import { runProcess, settingsFor } from '#test/support/process';

/** The .p8 file of Apple, on one line. */
const p8 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  .privateKey.export({ type: 'pkcs8', format: 'pem' })
  .toString()
  .replaceAll('\n', '\\n');
/** What each strategy of this folder needs; `local` and `jwt` need nothing. */
const needed: Record<string, Record<string, string>> = {
  'api-key': { API_KEYS: 'on' },
  apple: {
    APPLE_CLIENT_ID: 'an id',
    APPLE_TEAM_ID: 'a team',
    APPLE_KEY_ID: 'a key id',
    APPLE_PRIVATE_KEY: p8,
  },
  'apple-native': { APPLE_NATIVE_CLIENT_IDS: 'com.example.app' },
  basic: { BASIC_AUTH: 'on' },
  'email-code': { EMAIL_CODE: 'on' },
  github: { GITHUB_CLIENT_ID: 'an id', GITHUB_CLIENT_SECRET: 'hush hush' },
  google: { GOOGLE_CLIENT_ID: 'an id', GOOGLE_CLIENT_SECRET: 'hush hush' },
  'google-native': { GOOGLE_NATIVE_CLIENT_IDS: 'an id, another' },
  header: { HEADER_USER: 'x-remote-user' },
  ldap: {
    LDAP_URL: 'ldaps://dir.test',
    LDAP_BIND_DN: 'cn=x',
    LDAP_BIND_PASSWORD: 'hush hush',
    LDAP_SEARCH_BASE: 'dc=x',
  },
  oidc: {
    OIDC_ISSUER: 'https://idp.test',
    OIDC_CLIENT_ID: 'an id',
    OIDC_CLIENT_SECRET: 'hush hush',
  },
  saml: {
    SAML_ENTRY_POINT: 'https://idp.test/sso',
    SAML_IDP_CERT: newIdentity().oneLine,
    SAML_ISSUER: 'sp',
  },
};
const more: Record<string, Record<string, string>> = {
  apple: { APPLE_ISSUER: 'http://127.0.0.1:9' },
  github: { GITHUB_URL: 'https://github.corp.test' },
  google: { GOOGLE_HOSTED_DOMAIN: 'corp.test', GOOGLE_ISSUER: 'http://127.0.0.1:9' },
  header: { HEADER_EMAIL: 'x-remote-email', HEADER_EMAIL_DOMAINS: 'corp.test' },
  ldap: { LDAP_ATTRIBUTE: 'mail', LDAP_EMAIL_DOMAINS: 'corp.test, corp.example' },
  oidc: {
    OIDC_SCOPE: 'openid',
    OIDC_CLIENT_AUTH: 'client_secret_basic',
    OIDC_MFA_ACR: 'aal2',
    OIDC_MFA_AMR: 'mfa',
  },
  saml: { SAML_EMAIL_DOMAINS: 'corp.test' },
};
const app = await startApp({
  REDIRECT_URIS: 'https://app.example.com/in',
  TRUST_PROXY: '1',
});
const { ask, ctx } = app;
const { strategies } = ctx;
const line = greeting(app, false);
/** Names of the strategies that these settings switch on, or what is wrong with the settings. */
const load = (env: Record<string, string>) =>
  loadWith(app, env).then(
    ({ on }) => on.map(({ name }) => name).filter((name) => name in needed),
    ({ mistakes }: { mistakes: string[] }) => mistakes,
  );

/** And what it is for, as its author says. */
const isMissing = (name: string, setting: string) =>
  expect.stringMatching(`^strategies/${name}\\.ts: ${setting} is missing \\(.{10,}\\)$`);

it('has a row here for each setting of each strategy', () => {
  const listed = Object.keys(needed).flatMap((name) =>
    Object.keys({ ...needed[name], ...more[name] }),
  );
  const all = [...strategies.on, ...strategies.off].flatMap(settingsOf);
  expect(listed.sort()).toEqual([...new Set(all)].sort());
});

it('no keys are made or read while API_KEYS is not on', async () => {
  expect((await ask('GET', '/me/api-keys')).status).toBe(404);
  expect((await ask('POST', '/me/api-keys', { body: { name: 'x' } })).status).toBe(404);
  expect((await ask('GET', '/me', { headers: { 'x-api-key': 'sp_x' } })).body.code).toBe(
    'token_missing',
  );
});

describe.each(Object.keys(needed))('%s', (name) => {
  const settings = needed[name]!;
  const names = Object.keys(settings);

  it('is off while none of its settings is there: the start line says which they are, and its route is not there', async () => {
    expect(strategies.off.map((strategy) => strategy.name)).toContain(name);
    expect(line).toContain(` ${name} (${names.join(', ')})`);
    expect((await ask('POST', `/auth/${name}`, { body: {} })).status).toBe(404);
    expect((await ask('GET', `/auth/${name}`)).status).toBe(404);
    expect((await ask('POST', `/me/identities/${name}`, { body: {} })).status).toBe(405); // the way to unlink is there, for what was linked
    expect(await load({})).toEqual([]);
  });

  it('is on with what it needs, and with everything it knows', async () => {
    expect(await load(settings)).toEqual([name]);
    expect(await load({ ...settings, ...more[name] })).toEqual([name]);
  });

  it('keeps the server from starting while a part of them is missing, and says which file and which setting', async () => {
    const all = { ...settings, ...more[name] };
    for (const one of names.filter(() => Object.keys(all).length > 1)) {
      const { [one]: _left, ...rest } = all;
      for (const env of [rest, { ...all, [one]: '' }])
        expect(await load(env)).toEqual([isMissing(name, one)]);
    }
    const { sharedSettings = [] } = strategies.off.find((each) => each.name === name)!;
    for (const [one, value] of Object.entries(more[name] ?? {})) {
      const missing = sharedSettings.includes(one) ? [] : names;
      expect(await load({ [one]: value })).toEqual(missing.map((each) => isMissing(name, each)));
    }
  });
});

it.each<[string, string, string]>([
  ['api-key', 'API_KEYS', 'yes'],
  ['basic', 'BASIC_AUTH', 'true'],
  ['email-code', 'EMAIL_CODE', 'yes'],
  ['github', 'GITHUB_URL', 'http://github.corp.test'],
  ['github', 'GITHUB_URL', 'github.corp.test'],
  ['google', 'GOOGLE_ISSUER', 'http://accounts.google.com'],
  ['google', 'GOOGLE_HOSTED_DOMAIN', 'corp test'],
  ['header', 'HEADER_USER', 'x remote user'],
  ['header', 'HEADER_EMAIL', 'x:y'],
  ['header', 'HEADER_USER', 'Authorization'],
  ['header', 'HEADER_EMAIL', 'x-forwarded-for'],
  ['header', 'HEADER_EMAIL_DOMAINS', '*.corp.test'],
  ['ldap', 'LDAP_EMAIL_DOMAINS', 'corp.test, @corp.example'],
  ['oidc', 'OIDC_SCOPE', 'calendar contacts'],
  ['ldap', 'LDAP_URL', 'https://dir.test'],
  ['ldap', 'LDAP_ATTRIBUTE', 'uid)(x=*'],
  ['oidc', 'OIDC_ISSUER', 'http://idp.test'],
  ['oidc', 'OIDC_ISSUER', 'javascript:alert(1)'],
  ['saml', 'SAML_ENTRY_POINT', 'javascript:alert(1)'],
  ['saml', 'SAML_IDP_CERT', 'x'.repeat(800)],
  ['saml', 'SAML_IDP_CERT', newIdentity().oneLine.slice(0, -40)],
])('%s refuses %s=%.40s, and repeats no value', async (name, setting, value) => {
  const [sentence, ...others] = await load({ ...needed[name], [setting]: value });
  expect(others).toEqual([]);
  expect(sentence).toMatch(
    new RegExp(`^strategies/${name}\\.ts: ${setting} (is not valid|must .+) \\(.{10,}\\)$`),
  );
  expect(sentence).not.toContain(value);
});

it('a server that is told half of it ends at once, with a line for each mistake', async () => {
  const { SAML_ISSUER: _left, ...half } = needed['saml']!;
  const env = settingsFor(await emptyDatabase(), {
    ...needed['github'],
    ...half,
    LDAP_BIND_PASSWORD: 'hush hush',
  });
  const { code, stdout, stderr } = await runProcess('server', env);
  expect(stderr.trimEnd().split('\n')).toEqual([
    'strategies/github.ts: REDIRECT_URIS is empty: it says where people may be sent when they come back from their provider',
    ...['LDAP_URL', 'LDAP_BIND_DN', 'LDAP_SEARCH_BASE'].map((name) => isMissing('ldap', name)),
    isMissing('saml', 'SAML_ISSUER'),
  ]);
  expect([code, stdout]).toEqual([78, '']);
});
