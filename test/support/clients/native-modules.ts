import { join } from 'node:path';
import { runInThisContext } from 'node:vm';
import { rolldown } from 'rolldown';
import type { ExpoSecureStore, ReactNativeKeychain } from '#src/client/index';
import { installPackages } from '#test/support/own-packages';
import { root } from '#test/support/process';

const HOME = 'test/native-modules';

/** What a keychain holds, and who may read it when. */
export interface Keychain {
  items: Map<string, { text: string; accessible: unknown }>;
  /** The phone has not been unlocked since it was started. */
  isLocked: boolean;
  /** It answers that it has stored nothing. */
  isFull: boolean;
}
type Options = Record<string, unknown>;
const AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY = 3;

/** The native halves of the packages, over a keychain in memory. */
function nativeHalves(keychain: Keychain) {
  const open = () => {
    if (keychain.isLocked) throw new Error('errSecInteractionNotAllowed');
    return keychain.items;
  };
  const secureStore = {
    AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY,
    getValueWithKeyAsync: async (key: string) => open().get(key)?.text ?? null,
    setValueWithKeyAsync: async (text: string, key: string, { keychainAccessible }: Options) =>
      void open().set(key, { text, accessible: keychainAccessible }),
    deleteValueWithKeyAsync: async (key: string) => void open().delete(key),
  };
  const RNKeychainManager = {
    async getGenericPasswordForOptions({ service }: Options) {
      const found = open().get(service as string);
      return found ? { service, username: 'tokens', password: found.text, storage: '' } : false;
    },
    async setGenericPasswordForOptions({ service, accessible }: Options, _: string, text: string) {
      if (keychain.isFull) return false;
      open().set(service as string, { text, accessible });
      return { service, storage: '' };
    },
    resetGenericPasswordForOptions: async ({ service }: Options) =>
      open().delete(service as string),
  };
  return {
    'expo-modules-core': { requireNativeModule: () => secureStore },
    'react-native': { NativeModules: { RNKeychainManager }, Platform: { OS: 'ios' } },
  };
}

/** A module, bundled, where these stand for what it imports from outside. */
export async function loadModule<T>(input: string, given: Record<string, unknown>): Promise<T> {
  const alias = { 'sallyport/client': join(root, 'src/client/index.ts') };
  const external = Object.keys(given);
  const built = await rolldown({
    input,
    external,
    resolve: { alias },
    platform: 'node',
    tsconfig: false,
  });
  const { output } = await built.generate({ format: 'cjs', exports: 'named' });
  await built.close();
  const module = { exports: {} };
  const run = runInThisContext(`(require, module, exports) => {${output[0].code}\n}`) as (
    ...from: unknown[]
  ) => void;
  run((name: string) => given[name], module, module.exports);
  return module.exports as T;
}

/** The packages themselves, over a keychain in memory. */
export async function nativeModules() {
  installPackages(HOME);
  const keychain: Keychain = { items: new Map(), isLocked: false, isFull: false };
  const halves = nativeHalves(keychain);
  const load = <T>(file: string) => loadModule<T>(join(root, HOME, 'node_modules', file), halves);
  const SecureStore = await load<ExpoSecureStore>('expo-secure-store/build/SecureStore.js');
  const Keychain = await load<ReactNativeKeychain>('react-native-keychain/lib/module/index.js');
  return { keychain, SecureStore, Keychain };
}
