import { parsed } from '#src/client/transport';
import type { guarded } from '#src/client/token-store';
import type { Failure, Problem } from '#src/client/types';

const base64url = (bytes: ArrayBuffer) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)).buffer);

/** People begin more sign-ins than they finish. */
const MOST = 5;
/** What else comes back is not worth another attempt with the same account. */
const ACTIONS: Record<string, string> = {
  unavailable: 'wait',
  rate_limited: 'wait',
  server_error: 'stop',
};

/** Sign-ins that are under way in the browser (RFC 7636). Their verifiers never leave the app. */
export function redirects(storage: ReturnType<typeof guarded>, key: string) {
  type Pending = [state: string, codeVerifier: string][];
  const list = async () => (parsed(await storage.get(key)) as Pending | undefined) ?? [];

  return {
    async newChallenge() {
      const [codeVerifier, state] = [random(), random()];
      const others = (await list()).slice(1 - MOST);
      await storage.set(key, JSON.stringify([...others, [state, codeVerifier]]));
      const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(codeVerifier));
      return { codeChallenge: base64url(digest), state };
    },
    /** What to exchange, once; null if nobody here has asked for this. */
    async take(address: string): Promise<{ code: string; codeVerifier: string } | Failure | null> {
      const found = Object.fromEntries(new URLSearchParams(/\?([^#]*)/.exec(address)?.[1]));
      const pending = await list();
      const codeVerifier = pending.find(([state]) => state === found['state'])?.[1];
      if (!codeVerifier) return null; // somebody else sent the user here
      await storage.set(key, JSON.stringify(pending.filter(([state]) => state !== found['state'])));
      const { code = '', error, error_description: title = '' } = found;
      if (!error) return { code, codeVerifier };
      const action = ACTIONS[error] ?? 'sign_in';
      return {
        ok: false,
        status: 0,
        body: { code: error, action, title, status: 0 } as unknown as Problem,
      };
    },
  };
}
