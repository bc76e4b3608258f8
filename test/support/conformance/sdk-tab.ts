import { createClient, sessionStorage } from '#src/client/index';
import { dpop, type OpenKey } from '#src/client/dpop';
import type { ClientOptions, Result, Storage } from '#src/client/types';
import type { Means, Tab, Texts } from '#test/support/conformance/tabs';

const shared = (texts: Texts): Storage => ({
  get: (key) => texts.get(key) ?? null,
  set: (key, text) => void texts.set(key, text),
  remove: (key) => void texts.delete(key),
});

/** `sallyport/client` over a store that its tabs share. */
export const sdkTab = (means: Means): Tab => tabOver(shared(means.texts), means);

/** The same over a `sessionStorage`, as it is in a browser: of one tab, and copied when the tab is duplicated. */
export function sdkSessionTab(means: Means): Tab {
  const { texts } = means;
  const own = new Proxy(
    {
      getItem: (key: string) => texts.get(key) ?? null,
      setItem: (key: string, text: string) => void texts.set(key, text),
      removeItem: (key: string) => void texts.delete(key),
    },
    { ownKeys: () => [...texts.keys()], getOwnPropertyDescriptor: () => ENUMERABLE },
  );
  const global = globalThis as { sessionStorage?: unknown };
  const before = Object.getOwnPropertyDescriptor(global, 'sessionStorage');
  Object.defineProperty(global, 'sessionStorage', { value: own, configurable: true });
  const storage = sessionStorage();
  if (before) Object.defineProperty(global, 'sessionStorage', before);
  else delete global.sessionStorage;
  return tabOver(storage, means);
}
const ENUMERABLE = { enumerable: true, configurable: true };

/** The first with a key that the tabs of a store share. Its proofs are for the public address of the server. */
export function sdkDpopTab(open: OpenKey): (means: Means) => Tab {
  return (means) => {
    const { texts, url, publicUrl, store } = means;
    const there = (address: string) => address.replace(publicUrl, url);
    return tabOver(shared(texts), {
      ...means,
      url: publicUrl,
      dpop: dpop(() => open(store)),
      fetch: (input, init) => means.fetch(there(input as string), init),
    });
  };
}

function tabOver(storage: Storage, means: Means & Pick<ClientOptions, 'dpop'>): Tab {
  const { url, fetch, sleep, dpop: binding } = means;
  const client = createClient({ url, storage, fetch, sleep, ...(binding && { dpop: binding }) });
  const ask = client.request as (...asked: unknown[]) => Promise<Result<unknown>>;
  return {
    signIn: async (identifier, password) => (await client.signIn({ identifier, password })).status,
    request: async (...asked) => (await ask(...asked)).status,
    signOut: () => client.signOut(),
  };
}
