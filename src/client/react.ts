import {
  createContext,
  createElement,
  useContext,
  useSyncExternalStore,
  type ReactElement,
  type ReactNode,
} from 'react';
import type { Client, State } from '#src/client/types';

const ClientContext = createContext<Client | null>(null);
/** What a server renders, and so the first that a browser does: nobody knows yet who is there. */
const LOADING: State = { status: 'loading', user: null, session: null };

/** Gives the client to every component below. */
export const SallyportProvider = (given: { client: Client; children?: ReactNode }): ReactElement =>
  createElement(ClientContext.Provider, { value: given.client }, given.children);

/**
 * The client of the provider above.
 * @throws {Error} without a provider.
 */
export function useClient(): Client {
  const client = useContext(ClientContext);
  if (!client) throw new Error('There is no SallyportProvider above');
  return client;
}

/** Who is signed in. The component renders again when that changes, in another tab, too. */
export function useSession(): State {
  const client = useClient();
  return useSyncExternalStore(
    client.onChange,
    () => client.state,
    () => LOADING,
  );
}
