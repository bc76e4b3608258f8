import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import type { Order, Report } from '#src/conformance/driver';
import { whenFileDone } from '#test/support/when-done';

type Create = (means: Means) => Tab;
type Opening = Extract<Order, { do: 'open' }>;
/** A client of which nothing is heard after its end, as of a killed process. */
export interface Tab {
  signIn: (identifier: string, password: string) => Promise<number>;
  request: (method: string, path: string, body?: object) => Promise<number>;
  signOut: () => Promise<unknown>;
}
/** What a tab works with. After its end it can neither ask nor write. */
export interface Means {
  url: string;
  publicUrl: string;
  /** Its tabs have the same one. */
  store: string;
  fetch: typeof fetch;
  /** The texts of its store, which other tabs may share. */
  texts: Texts;
  sleep: (seconds: number) => Promise<unknown>;
}
export type Texts = Pick<Map<string, string>, 'get' | 'set' | 'delete' | 'keys'>;

/** A driver of `sallyport conformance` for clients in this process. `ofTab`: with a storage that tabs do not share. */
export async function drive(create: Create, ofTab?: Create) {
  const stores = new Map<string, Map<string, string>>();
  const tabs = new Map<string, { tab: Tab; store: string; end: () => void; fail: () => void }>();

  function open(name: string, { url, publicUrl, store, copyOf, pace, ...of }: Opening): Report {
    const make = of.ofTab ? ofTab : create;
    if (!make) return { unsupported: true };
    const original = stores.get(tabs.get(copyOf ?? '')?.store ?? '');
    const kept = stores.get(store) ?? new Map(original);
    stores.set(store, kept);
    const ending = new AbortController();
    let failing = false;
    const texts: Texts = {
      get: (key) => kept.get(key),
      keys: () => kept.keys(),
      set(key, text) {
        ending.signal.throwIfAborted();
        if (failing) {
          failing = false;
          throw new Error('The storage is full');
        }
        return kept.set(key, text);
      },
      delete: (key) => !ending.signal.aborted && kept.delete(key),
    };
    const tab = make({
      url,
      publicUrl,
      store,
      texts,
      fetch: (input, init = {}) => {
        const signals = [ending.signal, ...(init.signal ? [init.signal] : [])];
        return fetch(input, { ...init, signal: AbortSignal.any(signals) });
      },
      sleep: (seconds) => new Promise((done) => setTimeout(done, seconds * pace * 1000)),
    });
    const fail = () => {
      failing = true;
    };
    tabs.set(name, { tab, store, fail, end: () => ending.abort(new Error('killed')) });
    return { pace };
  }

  async function obey({ tab: name, ...order }: { tab: string } & (Order | { do: 'kill' })) {
    if (order.do === 'open') return open(name, order);
    const { tab, end, fail } = tabs.get(name)!;
    switch (order.do) {
      case 'sign-in':
        return { status: await tab.signIn(order.identifier, order.password) };
      case 'request': {
        const { method, path, body, times } = order;
        const all = Array.from({ length: times }, () => tab.request(method, path, body));
        return { statuses: await Promise.all(all) };
      }
      case 'sign-out':
        await tab.signOut();
        return {};
      case 'fail-storage':
        fail();
        return {};
      default:
        end();
        return {};
    }
  }

  const server = createServer(async (req, res) => {
    const report = await obey((await json(req)) as Parameters<typeof obey>[0]);
    res.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(report));
  });
  whenFileDone(() => {
    server.closeAllConnections();
    server.close();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
  };
}
