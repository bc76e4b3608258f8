import { locksOf, type Locks } from '#src/client/locks';
import type { Storage } from '#src/client/types';

/** What `localStorage` and `sessionStorage` have. */
interface WebStorage {
  getItem: (key: string) => string | null;
  setItem: (key: string, text: string) => void;
  removeItem: (key: string) => void;
}
interface Page {
  localStorage?: WebStorage;
  sessionStorage?: WebStorage;
  addEventListener?: (type: string, listener: () => void) => void;
  removeEventListener?: (type: string, listener: () => void) => void;
}

const over = (kept: WebStorage): Storage => ({
  get: (key) => kept.getItem(key),
  set: (key, text) => kept.setItem(key, text),
  remove: (key) => kept.removeItem(key),
});
/** Undefined where a browser has none, or lets no page use it. */
function kept(name: 'localStorage' | 'sessionStorage'): WebStorage | undefined {
  try {
    return (globalThis as Page)[name];
  } catch {
    return undefined;
  }
}
const isPage = () => 'document' in globalThis;

/** Gone with the page. */
export function memoryStorage(): Storage {
  const texts = new Map<string, string>();
  const session = isPage() ? kept('sessionStorage') : undefined;
  return {
    get: (key) => texts.get(key) ?? null,
    set: (key, text) => void texts.set(key, text),
    remove: (key) => void texts.delete(key),
    ...(session && { redirects: over(session) }), // the page is left on the way to a provider
  };
}

/** Shared by all tabs, and there after a restart of the browser. */
export function localStorage(): Storage {
  const page = globalThis as Page;
  return {
    ...over(page.localStorage!),
    subscribe(changed) {
      page.addEventListener?.('storage', changed);
      return () => page.removeEventListener?.('storage', changed);
    },
  };
}

export const defaultStorage = (): Storage =>
  isPage() && kept('localStorage') ? localStorage() : memoryStorage();

/** Keeps the tokens in memory, and only the id of their session, as a marker for all tabs, in the storage. */
export function cookieStorage(shared: Storage, key: string): Storage {
  const page = globalThis as Page;
  let held: { id: string; text: string } | undefined;
  return {
    remove: (name) => shared.remove(name),
    ...(shared.redirects && { redirects: shared.redirects }),
    async get(name) {
      const found = await shared.get(name);
      if (name !== key || !found) return found;
      return held?.id === found ? held.text : '{"accessToken":""}';
    },
    set(name, text) {
      if (name !== key) return shared.set(name, text);
      held = { id: (JSON.parse(text) as { session: { id: string } }).session.id, text };
      return shared.set(name, held.id);
    },
    subscribe(changed) {
      const end = shared.subscribe?.(changed);
      for (const type of WAKES) page.addEventListener?.(type, changed);
      return () => {
        end?.();
        for (const type of WAKES) page.removeEventListener?.(type, changed);
      };
    },
  };
}
/** A page that heard nothing of others for a while. */
const WAKES = ['online', 'pageshow'];

/**
 * Of one tab, and gone with it. A duplicated tab begins with a copy: it notices, and forgets the tokens, which belong to the other
 * tab. That needs `navigator.locks`, which browsers have on pages over https and on localhost.
 */
export function sessionStorage(): Storage {
  const own = (globalThis as Page).sessionStorage!;
  const claimed = claim(own);
  const { get, set, remove } = over(own);
  return {
    get: async (key) => (await claimed, get(key)),
    set: async (key, text) => (await claimed, set(key, text)),
    remove: async (key) => (await claimed, remove(key)),
  };
}

const TAB = 'sallyport.tab';
/** A page that is left keeps its locks for a moment, also when it is only loaded again. */
const PATIENCE_MS = 1000;

async function claim(own: WebStorage): Promise<void> {
  const locks = locksOf(globalThis);
  if (!locks) return;
  const tab = own.getItem(TAB);
  if (tab && (await hold(locks, tab))) return;
  if (tab) for (const key of Object.keys(own)) if (/^sallyport\b/.test(key)) own.removeItem(key);
  const name = crypto.randomUUID();
  own.setItem(TAB, name);
  await hold(locks, name);
}

/** Holds the lock of a tab until the tab is closed. False if another has it. */
const hold = (locks: Locks, tab: string) =>
  new Promise<boolean>((held) => {
    const limit = new AbortController();
    const timer = setTimeout(() => limit.abort(), PATIENCE_MS);
    const keep = () => {
      clearTimeout(timer);
      held(true);
      return new Promise(() => {});
    };
    locks.request(`${TAB} ${tab}`, { signal: limit.signal }, keep).catch(() => held(false));
  });

/** What is used of the module `expo-secure-store`. */
export interface ExpoSecureStore {
  AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: number;
  getItemAsync: (key: string, options?: { keychainAccessible?: number }) => Promise<string | null>;
  setItemAsync: (
    key: string,
    value: string,
    options?: { keychainAccessible?: number },
  ) => Promise<void>;
  deleteItemAsync: (key: string, options?: { keychainAccessible?: number }) => Promise<void>;
}
/** Keychain and Keystore, in apps made with Expo. Readable in the background, and on this device only. */
export function expoSecureStore(module: ExpoSecureStore): Storage {
  const options = { keychainAccessible: module.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY };
  return {
    get: (key) => module.getItemAsync(key, options),
    set: (key, text) => module.setItemAsync(key, text, options),
    remove: (key) => module.deleteItemAsync(key, options),
  };
}

/** What is used of the module `react-native-keychain`. */
export interface ReactNativeKeychain<A = unknown> {
  ACCESSIBLE: { AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY: A };
  getGenericPassword: (options: { service: string }) => Promise<false | { password: string }>;
  setGenericPassword: (
    username: string,
    password: string,
    options: { service: string; accessible: A },
  ) => Promise<unknown>;
  resetGenericPassword: (options: { service: string }) => Promise<unknown>;
}
/** Keychain and Keystore, in other apps made with React Native. Readable in the background, and on this device only. */
export function reactNativeKeychain<A>(module: ReactNativeKeychain<A>): Storage {
  const accessible = module.ACCESSIBLE.AFTER_FIRST_UNLOCK_THIS_DEVICE_ONLY;
  return {
    async get(service) {
      const found = await module.getGenericPassword({ service });
      return found ? found.password : null;
    },
    async set(service, text) {
      const stored = await module.setGenericPassword('tokens', text, { service, accessible });
      if (!stored) throw new Error('The keychain stored nothing');
    },
    remove: async (service) => void (await module.resetGenericPassword({ service })),
  };
}
