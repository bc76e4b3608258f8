import { createClient } from '#src/client/index';
import type { ClientOptions } from '#src/client/types';
import { password } from '#test/support/app';
import { startHarness } from '#test/support/clients/harness';

/** Texts by name, as several tabs see them: who changes one is not told, the others are. */
export function sharedTexts() {
  const texts = new Map<string, string>();
  const tabs = new Map<object, () => void>();
  const tell = (own: object) => tabs.forEach((changed, tab) => tab !== own && changed());
  return {
    texts,
    tab() {
      const own = {};
      return {
        get: async (key: string) => texts.get(key) ?? null,
        set: async (key: string, text: string) => {
          texts.set(key, text);
          tell(own);
        },
        remove: async (key: string) => {
          texts.delete(key);
          tell(own);
        },
        subscribe: (changed: () => void) => {
          tabs.set(own, changed);
          return () => void tabs.delete(own);
        },
      };
    },
  };
}

/** The real server behind a gate, and `sallyport/client` in front. Once in a test file. */
export async function startSdk(env: Record<string, string> = {}, of?: { isPublic: boolean }) {
  const harness = await startHarness(env, of);
  /** A client that does not wait between attempts. What it would have waited is in `pauses`. */
  const clientOn = (more: Partial<ClientOptions> = {}) => {
    const pauses: number[] = [];
    const kept = sharedTexts();
    const client = createClient({
      url: harness.gate.url,
      storage: kept.tab(),
      sleep: async (seconds) => void pauses.push(seconds),
      ...more,
    });
    return { client, pauses, texts: kept.texts };
  };
  /** Somebody who has signed in with it. */
  const signedInOn = async (more: Partial<ClientOptions> = {}) => {
    const user = await harness.register();
    const made = clientOn(more);
    const credentials = { identifier: user.username, password };
    const answer = await made.client.signIn(credentials);
    if (!answer.ok) throw new Error(answer.body.title);
    return { ...made, user, credentials, sessionId: answer.body.session.id, tokens: answer.body };
  };
  return { ...harness, clientOn, signedInOn };
}
