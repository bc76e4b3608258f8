import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { typesOf, type Document } from '#test/support/clients/types-of-document';
import { root } from '#test/support/process';

/** A server with every way to sign in that this package brings. */
const { document } = await startApp({
  API_KEYS: 'on',
  APPLE_NATIVE_CLIENT_IDS: 'com.example.app',
  EMAIL_CODE: 'on',
  GOOGLE_NATIVE_CLIENT_IDS: 'x.apps.googleusercontent.com',
  LDAP_URL: 'ldaps://127.0.0.1:9',
  LDAP_BIND_DN: 'cn=reader',
  LDAP_BIND_PASSWORD: 'secret',
  LDAP_SEARCH_BASE: 'dc=example',
  MAIL_FROM: 'auth@example.com',
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  SMTP_URL: 'smtp://127.0.0.1:9',
});

it('the types of the client are those of the routes', async () => {
  const types = typesOf((await document()) as unknown as Document);
  await expect(types).toMatchFileSnapshot(join(root, 'src/client/api.ts'));
});
