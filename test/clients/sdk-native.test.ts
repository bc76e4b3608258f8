import { beforeEach, describe, expect, it } from 'vitest';
import { expoSecureStore, reactNativeKeychain } from '#src/client/index';
import { refused } from '#test/support/clients/gate';
import { expire, LOGOUT } from '#test/support/clients/harness';
import { nativeModules } from '#test/support/clients/native-modules';
import { startSdk } from '#test/support/clients/sdk-harness';
import { eventually } from '#test/support/eventually';

const { ask, clientOn, gate, generationOf, signedInOn } = await startSdk();
const { keychain, SecureStore, Keychain } = await nativeModules();

beforeEach(() => {
  keychain.items.clear();
  keychain.isLocked = keychain.isFull = false;
});

describe.each([
  [
    'expo-secure-store',
    () => expoSecureStore(SecureStore),
    SecureStore.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
  ],
  [
    'react-native-keychain',
    () => reactNativeKeychain(Keychain),
    Keychain.ACCESSIBLE.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
  ],
])('the storage over %s', (_name, storage, accessible) => {
  it('keeps the tokens on this device, for an app that is started again', async () => {
    const { user, sessionId } = await signedInOn({ storage: storage() });
    expire();
    const { client } = clientOn({ storage: storage() });
    const me = await client.request('GET', '/me');
    expect(me.ok && me.body.username).toBe(user.username);
    expect(await generationOf(sessionId)).toBe(1);
    expect([...keychain.items.keys()]).toEqual(['sallyport']);
    expect(accessible).toBeDefined();
    for (const item of keychain.items.values()) expect(item.accessible).toBe(accessible);
    expect((await client.signOut()).status).toBe(204);
    expect(keychain.items.size).toBe(0);
  });

  it('keeps a sign-out that the server has not heard of', async () => {
    const { client, tokens } = await signedInOn({ storage: storage() });
    gate.all(LOGOUT, refused);
    await client.signOut();
    expect([...keychain.items.keys()]).toEqual(['sallyport.ended']);
    expect(keychain.items.get('sallyport.ended')!.accessible).toBe(accessible);
    gate.forget();
    clientOn({ storage: storage() });
    await eventually(() => expect(keychain.items.size).toBe(0));
    const { refreshToken } = tokens;
    const { body } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    expect(body.sessionStatus).toBe('ended');
  });

  it('signs nobody out while the phone is locked', async () => {
    const { client } = await signedInOn({ storage: storage() });
    keychain.isLocked = true;
    expect((await client.request('GET', '/me')).body).toMatchObject({ code: 'storage_failed' });
    expect((await client.signOut()).body).toMatchObject({ code: 'storage_failed' });
    const { client: next } = clientOn({ storage: storage() });
    expect((await next.request('GET', '/me')).body).toMatchObject({ code: 'storage_failed' });
    expect(next.state.status).toBe('loading');
    keychain.isLocked = false;
    for (const each of [client, next]) {
      expect((await each.request('GET', '/me')).status).toBe(200);
      expect(each.state.status).toBe('signed_in');
    }
  });
});

it('a keychain that stored nothing is no keychain that did', async () => {
  keychain.isFull = true;
  await expect(signedInOn({ storage: reactNativeKeychain(Keychain) })).rejects.toThrow(
    'stored nothing',
  );
});
