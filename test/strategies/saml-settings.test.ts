import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import saml from '#strategies/saml';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import {
  assertion,
  ENTRY,
  envelope,
  newIdentity,
  requestIn,
  sign,
  type Said,
} from '#test/support/identity-provider-saml';
import { loadWith } from '#test/support/loading';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const [old, fresh, stranger] = [newIdentity(), newIdentity(), newIdentity()];
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const CALLBACK = `${here}/auth/saml/callback`;
const APP = 'http://127.0.0.1:9/signed-in';
const folder = mkdtempSync(join(tmpdir(), 'certificates-'));
const file = (name: string, content: string) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};
const settings = { SAML_ENTRY_POINT: ENTRY, SAML_ISSUER: 'sp' };
const app = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  ...settings,
  SAML_IDP_CERT: `${old.oneLine},${file('new.pem', `subject=idp\n${fresh.certificate}\n`)}`,
});
const { url, ctx } = app;
const warnings = vi.spyOn(ctx.log, 'warn');
afterEach(() => void warnings.mockClear());

async function start(more: Record<string, string> = {}) {
  const tab = browser();
  const { address } = authorizationRequest(url, 'saml', APP, more);
  const page = await tab.open(address, ENTRY);
  return { tab, page, ...requestIn(page.url) };
}
/** What the app is told when the identity provider says this, and what the log says. */
async function outcome(said: Said & { status?: string } = {}, by = old) {
  const { tab, id, relayState } = await start();
  const more = { inResponseTo: id, recipient: CALLBACK, destination: CALLBACK, audience: 'sp' };
  const all = { ...more, ...said };
  const SAMLResponse = Buffer.from(sign(envelope(assertion(all), all), by)).toString('base64');
  const { searchParams } = (
    await tab.open(CALLBACK, APP, { form: { SAMLResponse, RelayState: relayState } })
  ).url;
  const logged = warnings.mock.calls.flatMap(([fields]) => {
    const { message, cause } = (fields as { err: Error }).err;
    return [message, cause instanceof Error ? cause.message : ''];
  });
  return { error: searchParams.get('error'), log: logged.join(' ') };
}

describe('the certificates of an identity provider', () => {
  it('may be several: what either has signed is good', async () => {
    expect((await outcome({}, old)).error).toBeNull();
    expect((await outcome({}, fresh)).error).toBeNull();
  });

  it('are named in the log beside one that is none of them, and the app hears of a mistake', async () => {
    const { error, log } = await outcome({}, stranger);
    expect(error).toBe('server_error');
    expect(log).toMatch(
      /The certificate of the answer is CN=idp [0-9A-F:]{95}\. SAML_IDP_CERT has CN=idp [0-9A-F:]{95}; CN=idp/,
    );
  });

  it.each<[string, () => string]>([
    ['PEM', () => old.certificate],
    ['PEM with \\n', () => old.certificate.replaceAll('\n', '\\n')],
    ['two of them', () => `${old.certificate}\n${fresh.certificate}`],
    ['base64 in a list', () => `${old.oneLine}, ${fresh.oneLine},`],
    [
      'the name of a file with two',
      () => file('both.pem', `${old.certificate}\n${fresh.certificate}\n`),
    ],
  ])('may be %s', async (_what, value) => {
    expect(
      (await loadWith(app, { ...settings, SAML_IDP_CERT: value() })).on.map(({ name }) => name),
    ).toContain('saml');
  });

  it.each<[string, () => string]>([
    ['a word', () => 'certificate'],
    ['a good one and a word', () => `${old.oneLine},certificate`],
    ['a good one and a half one', () => `${old.oneLine},${fresh.oneLine.slice(0, -40)}`],
    ['PEM and a word', () => `${old.certificate}\nand more`],
    ['half of PEM', () => `${old.certificate}\n${fresh.certificate.slice(0, -30)}`],
    ['a private key', () => old.key],
    ['a file that is not there', () => join(folder, 'nothing.pem')],
    ['a file of garbage', () => file('garbage.pem', 'garbage')],
    ['a file with a key', () => file('key.pem', `${old.certificate}\n${old.key}`)],
    ['a folder', () => folder],
    ['a comma', () => ','],
  ])('stop the start if one is %s', async (_what, value) => {
    await expect(loadWith(app, { ...settings, SAML_IDP_CERT: value() })).rejects.toMatchObject({
      mistakes: [expect.stringMatching(/SAML_IDP_CERT must be certificates, separated by commas/)],
    });
  });
});

describe('an answer that lets nobody in', () => {
  it.each(['Responder', 'Requester', 'VersionMismatch', 'success', ''])(
    'has the status %j, whatever assertion comes with it',
    async (status) => {
      expect((await outcome({ status })).error).toBe('access_denied');
    },
  );

  it('names a transient name as the reason', async () => {
    const format = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
    const { error, log } = await outcome({ format });
    expect(error).toBe('server_error');
    expect(log).toContain('The NameID is transient');
  });

  it.each(['undefined', ' ', 'null', '[object Object]'])('is about %j', async (nameId) => {
    expect((await outcome({ nameId })).error).toMatch(/^(server_error|access_denied)$/);
  });

  it('is for another audience: the log names both', async () => {
    const { error, log } = await outcome({ audience: 'another-sp' });
    expect(error).toBe('server_error');
    expect(log).toMatch(/audience mismatch\. Expected: sp Received: another-sp/);
  });
});

it('asks for a new sign-in there, or for none, as the app wishes', async () => {
  expect((await start({ prompt: 'login' })).xml).toContain('ForceAuthn="true"');
  expect((await start({ prompt: 'none' })).xml).toContain('IsPassive="true"');
  const { xml } = await start();
  expect(xml).not.toMatch(/ForceAuthn="true"|IsPassive="true"/);
});

it('is checked: dates of certificates, and whether the entry point answers', async () => {
  const [one] = await saml.check!({
    SAML_ENTRY_POINT: `${here}/livez`,
    SAML_IDP_CERT: [old.certificate],
  } as never);
  expect(one).toBeUndefined();
  vi.useFakeTimers({ toFake: ['performance'], now: 0 });
  vi.advanceTimersByTime(3 * 86_400_000);
  const found = await saml.check!({
    SAML_ENTRY_POINT: `http://127.0.0.1:${await freePort()}/sso`,
    SAML_IDP_CERT: [old.certificate],
  } as never);
  vi.useRealTimers();
  expect(found).toEqual([
    expect.stringMatching(/^A certificate in SAML_IDP_CERT is valid from .* only: CN=idp/),
    expect.stringMatching(/^The sign-in page at .* cannot be reached \(ECONNREFUSED\)/),
  ]);
});
