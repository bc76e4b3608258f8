import { createClient } from '#src/client/index';
import type { Credentials } from '#src/client/api';
import type { Failure, Result, Storage } from '#src/client/types';
import type { Client, Options, Tokens } from '#test/support/clients/examples';

/** Texts by name, and the tokens in a storage of docs/clients.md. */
function textsOver(storage: Options['storage']): Storage {
  const others = new Map<string, string>();
  const isTokens = (key: string) => key === 'sallyport';
  return {
    get: async (key) =>
      isTokens(key) ? JSON.stringify(await storage.get()) : (others.get(key) ?? null),
    set: (key, text) =>
      isTokens(key) ? storage.set(JSON.parse(text) as Tokens) : void others.set(key, text),
    remove: (key) => (isTokens(key) ? storage.clear() : void others.delete(key)),
  };
}

/** The examples reject where `sallyport/client` answers: without an answer, and when a refresh was refused for good. */
function rejectedBy({ status, body }: Failure): boolean {
  return status === 0 || body.action === 'wait' || body.code === 'invalid_grant';
}

/** `sallyport/client` under the face of the examples, so that it is held to the same rules. */
export function sdk({ baseUrl, storage, ...more }: Options): Client {
  const client = createClient({ url: baseUrl, storage: textsOver(storage), ...more });
  const reply = async (result: Promise<Result<unknown>>) => {
    const answer = await result;
    if (!answer.ok && rejectedBy(answer)) {
      const { code, title } = answer.body;
      throw Object.assign(new Error(`Cannot refresh: ${code}: ${title}`), { cause: answer.body });
    }
    return { status: answer.status, body: answer.body };
  };
  const ask = client.request as (...asked: unknown[]) => Promise<Result<unknown>>;
  return {
    login: (credentials) => reply(client.signIn(credentials as Credentials)),
    logout: () => reply(client.signOut()),
    request: (method, path, body) => reply(ask(method, path, body)),
  };
}
