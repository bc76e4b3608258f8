import type { ComponentChildren } from 'preact';
import {
  sessionStorage as ofThisTab,
  type ClientOptions,
  type ImpersonationTokens,
  type User,
} from '#src/client/index';
import { basePath } from '#screens/ui/data';

// An administrator acts for a user (impersonation): in one tab, on the account page. Everywhere else they are themselves.

const KEY = 'sallyport.impersonation';
const isAccount = `${location.pathname}/`.startsWith(`${basePath}/account/`);

function heldUser(): User | undefined {
  const held = isAccount ? sessionStorage.getItem(KEY) : null;
  try {
    return held ? (JSON.parse(held) as ImpersonationTokens).user : undefined;
  } catch {
    return undefined;
  }
}

/** The user for whom an administrator acts here. It stays the same for as long as the page is open. */
export const acting = heldUser();

/** What the client of this page is made with then. The cookie of the administrator is not used. */
export const actingStorage = (): Pick<ClientOptions, 'key' | 'storage'> => ({
  key: KEY,
  storage: ofThisTab(),
});

/** Opens the account page as this user. */
export async function actAs(tokens: ImpersonationTokens): Promise<void> {
  await ofThisTab().set(KEY, JSON.stringify(tokens));
  location.assign(`${basePath}/account`);
}

/** Back to the user in the console. `isLost`: nobody here has ended the session. */
export function stopActing({ isLost }: { isLost: boolean }): void {
  sessionStorage.removeItem(KEY);
  location.replace(`${basePath}/console/users/${acting!.id}${isLost ? '?ended' : ''}`);
}

/** What the server lets only the user do is not offered to somebody else. */
export const OnlyUser = ({ children }: { children: ComponentChildren }) =>
  acting ? null : <>{children}</>;
