import { describe, expect, it } from 'vitest';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { SettingsError } from '#src/platform/settings/settings-error';

const FINGERPRINT = Array.from({ length: 32 }, () => 'AB').join(':');
const HASH = `android:apk-key-hash:${Buffer.alloc(32, 0xab).toString('base64url')}`;
const settingsOf = (env: Record<string, string>) => parseSettings(settingsFrom(env));
const inForce = (env: Record<string, string>) => {
  const { passkeyRpId, passkeyOrigins } = settingsOf(env);
  return [passkeyRpId, passkeyOrigins];
};
function mistakesIn(env: Record<string, string>): readonly string[] {
  try {
    settingsOf(env);
    return [];
  } catch (error) {
    return (error as SettingsError).mistakes;
  }
}
const https = { PUBLIC_URL: 'https://auth.example.com/identity' };

describe('passkeys', () => {
  it.each<[string, Record<string, string>, string | undefined, string[]]>([
    ['on this machine', { DIALECTS: 'none' }, 'localhost', ['http://localhost:3000']],
    [
      'on this machine with a front end',
      { ALLOWED_ORIGINS: 'http://localhost:5173,https://app.example.com,capacitor://localhost' },
      'localhost',
      ['http://localhost:3000', 'http://localhost:5173'],
    ],
    ['with https', https, 'auth.example.com', ['https://auth.example.com']],
    [
      'for a domain above',
      {
        ...https,
        PASSKEY_RP_ID: 'example.com',
        ALLOWED_ORIGINS: 'https://app.example.com,https://evilexample.com,https://*.example.com',
      },
      'example.com',
      ['https://auth.example.com', 'https://app.example.com'],
    ],
    [
      'where the list says',
      { ...https, PASSKEY_ORIGINS: `https://app.example.org, ${HASH}` },
      'auth.example.com',
      ['https://app.example.org', HASH],
    ],
    [
      'with an Android app',
      { ...https, PASSKEY_ANDROID_APPS: `com.example.app=${FINGERPRINT.toLowerCase()}` },
      'auth.example.com',
      ['https://auth.example.com', HASH],
    ],
    ['without https', { PUBLIC_URL: 'http://auth.example.com' }, undefined, []],
    ['at an address', { PUBLIC_URL: 'https://192.0.2.7' }, undefined, []],
    ['at an IPv6 address', { PUBLIC_URL: 'http://[::1]:3000' }, undefined, []],
    ['switched off', { PASSKEY_RP_ID: 'none' }, undefined, []],
  ])('%s', (_what, env, rpId, origins) => {
    expect(inForce(env)).toEqual([rpId, origins]);
  });

  it.each([
    { PASSKEY_RP_ID: 'https://example.com' },
    { PASSKEY_RP_ID: 'example.com:8443' },
    { PASSKEY_RP_ID: '192.0.2.7' },
    { PASSKEY_RP_ID: 'com' },
    { PASSKEY_RP_ID: 'Example.com' },
    { PASSKEY_ORIGINS: 'http://app.example.com' },
    { PASSKEY_ORIGINS: 'https://app.example.com/' },
    { PASSKEY_ORIGINS: 'https://*.example.com' },
    { PASSKEY_ORIGINS: 'https://192.0.2.7' },
    { PASSKEY_ORIGINS: 'null' },
    { PASSKEY_ORIGINS: 'capacitor://localhost' },
    { PASSKEY_ORIGINS: 'android:apk-key-hash:short' },
    { PASSKEY_ANDROID_APPS: 'com.example.app' },
    { PASSKEY_ANDROID_APPS: `app=${FINGERPRINT}` },
    { PASSKEY_ANDROID_APPS: `com.example.app=${FINGERPRINT}:AB` },
    { PASSKEY_APPLE_APPS: 'com.example.app' },
    { PASSKEY_ENROLL_URL: 'http://app.example.com' },
    { PASSKEY_MANAGE_URL: 'javascript:alert(1)' },
    { PASSKEY_AAGUIDS: 'cb69481e-8ff7-4039-93ec' },
    { PASSKEY_AAGUIDS: 'cb69481e8ff7403993ec0a2729a154a8' },
    { CHANGE_PASSWORD_URL: '/account' },
  ])('refuses %j', (env) => {
    expect(mistakesIn({ ...https, ...env })).toEqual([
      expect.stringMatching(new RegExp(`^${Object.keys(env)[0]!}\\S* must `)),
    ]);
  });

  it('says which settings contradict each other', () => {
    const PASSKEY_ORIGINS = 'https://app.example.com';
    expect(mistakesIn({ PUBLIC_URL: 'http://192.0.2.7', PASSKEY_ORIGINS })).toEqual([
      expect.stringContaining('PASSKEY_RP_ID must be a domain'),
    ]);
    expect(mistakesIn({ PASSKEY_RP_ID: 'none', PASSKEY_ORIGINS })).toHaveLength(1);
    expect(mistakesIn({ ...https, PASSKEY_RP_ID: 'example.org' })).toEqual([
      expect.stringContaining('name the origins of your pages in PASSKEY_ORIGINS'),
    ]);
    expect(mistakesIn({ ...https, PASSKEY_RP_ID: 'example.org', PASSKEY_ORIGINS })).toEqual([]);
  });
});
