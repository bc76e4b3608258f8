import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const FINGERPRINTS = ['AB', 'CD'].map((pair) => Array.from({ length: 32 }, () => pair).join(':'));
const apps = FINGERPRINTS.map((each) => `com.example.app=${each}`).join(',');
const { ask, url } = await startApp({
  PUBLIC_URL: 'https://auth.example.com',
  PASSKEY_RP_ID: 'example.com',
  PASSKEY_ORIGINS: 'https://example.com,https://app.example.com,https://example.org',
  PASSKEY_ANDROID_APPS: `${apps},org.example.other=${FINGERPRINTS[0]}`,
  PASSKEY_APPLE_APPS: 'A1B2C3D4E5.com.example.app',
  PASSKEY_ENROLL_URL: 'https://app.example.com/passkeys/new',
  PASSKEY_MANAGE_URL: 'https://app.example.com/passkeys',
  CHANGE_PASSWORD_URL: 'https://app.example.com/password',
});
const plain = await startApp();
const off = await startApp({ PASSKEY_RP_ID: 'none', HOSTED_PAGES: 'sign-in,console' });

const DOCUMENTS: [name: string, json: unknown][] = [
  ['webauthn', { origins: ['https://example.org'] }],
  ['apple-app-site-association', { webcredentials: { apps: ['A1B2C3D4E5.com.example.app'] } }],
  [
    'passkey-endpoints',
    {
      enroll: 'https://app.example.com/passkeys/new',
      manage: 'https://app.example.com/passkeys',
    },
  ],
  [
    'assetlinks.json',
    [
      ['com.example.app', FINGERPRINTS],
      ['org.example.other', FINGERPRINTS.slice(0, 1)],
    ].map(([name, sha256]) => ({
      relation: [
        'delegate_permission/common.handle_all_urls',
        'delegate_permission/common.get_login_creds',
      ],
      target: {
        namespace: 'android_app',
        package_name: name,
        sha256_cert_fingerprints: sha256,
      },
    })),
  ],
];

describe('the documents for browsers and phones', () => {
  it.each(DOCUMENTS)('/.well-known/%s is there', async (name, json) => {
    const { status, headers, body } = await ask('GET', `/.well-known/${name}`);
    expect([status, body]).toEqual([200, json]);
    expect(headers.get('content-type')).toMatch(/^application\/json/);
  });

  it('/.well-known/change-password leads to the page', async () => {
    const address = `${url}/.well-known/change-password`;
    const { status, headers } = await fetch(address, { redirect: 'manual' });
    expect([status, headers.get('location')]).toEqual([302, 'https://app.example.com/password']);
  });

  it('/.well-known/change-password leads to the account page of the server, if there is no other', async () => {
    const own = await startApp({ PUBLIC_URL: 'https://example.com/identity' });
    for (const app of [plain, own]) {
      const address = `${app.url}${app.ctx.settings.basePath}/.well-known/change-password`;
      const { status, headers } = await fetch(address, { redirect: 'manual' });
      const page = `${app.ctx.settings.publicUrl}/account/security`;
      expect([status, headers.get('location')]).toEqual([302, page]);
      const path = `${app.ctx.settings.basePath}/account/security`;
      expect((await fetch(app.url + path)).status).toBe(200);
      // https://w3c.github.io/webappsec-change-password-url/#reliability: else browsers trust no status of this server.
      const other = 'resource-that-should-not-exist-whose-status-code-should-not-be-200';
      expect((await fetch(new URL(`/.well-known/${other}`, app.url))).status).toBe(404);
    }
  });

  it('are not there without their settings', async () => {
    for (const name of [...DOCUMENTS.map(([each]) => each), 'change-password'])
      expect((await off.ask('GET', `/.well-known/${name}`)).status, name).toBe(404);
    for (const name of ['webauthn', 'apple-app-site-association', 'assetlinks.json'])
      expect((await plain.ask('GET', `/.well-known/${name}`)).status, name).toBe(404);
  });

  it('say that there are passkeys, if there are (passkey-endpoints)', async () => {
    const { status, body } = await plain.ask('GET', '/.well-known/passkey-endpoints');
    expect([status, body]).toEqual([200, {}]);
  });
});

it('without passkeys there is no way in with one', async () => {
  const ada = await off.register();
  expect((await off.ask('POST', '/auth/passkey/options', { body: {} })).status).toBe(404);
  expect((await off.ask('POST', '/auth/passkey', { body: {} })).status).toBe(404);
  expect((await ada.ask('POST', '/me/factors/passkeys')).status).not.toBe(201);
  const { body } = await off.ask('GET', '/auth/strategies');
  expect(body.map(({ name }: { name: string }) => name)).not.toContain('passkey');
});
