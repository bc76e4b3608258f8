import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Client, Prompt, Proof } from '#src/client/index';
import { password } from '#test/support/app';
import { refused } from '#test/support/clients/gate';
import { expire, LOGOUT, startHarness } from '#test/support/clients/harness';
import { loadModule, nativeModules } from '#test/support/clients/native-modules';
import { eventually } from '#test/support/eventually';
import { root } from '#test/support/process';
import { addApp } from '#test/support/second-factor';

interface Session {
  client: Client;
  start: () => Promise<void>;
  onQuestion: (
    listener: (
      question: { problem: Parameters<Prompt>[0]; answer: (proof: Proof | null) => void } | null,
    ) => void,
  ) => void;
}

const { ctx, gate, generationOf, register } = await startHarness();
const { keychain, SecureStore } = await nativeModules();
/** The files of the app. They go with it; the keychain stays. */
const files = new Set<string>();
class File {
  readonly path: string;
  constructor(...path: string[]) {
    this.path = path.join('/');
  }
  get exists() {
    return files.has(this.path);
  }
  create() {
    files.add(this.path);
  }
}
/** The module of the example, as it is when the app is started. */
async function startApp(): Promise<Session> {
  process.env['EXPO_PUBLIC_SALLYPORT_URL'] = gate.url;
  const session = await loadModule<Session>(join(root, 'examples/mobile/src/session.ts'), {
    'expo-secure-store': SecureStore,
    'expo-file-system': { File, Paths: { document: 'documents' } },
    'react-native': { Platform: { OS: 'ios' } },
  });
  await session.start();
  return session;
}
beforeEach(() => {
  keychain.items.clear();
  keychain.isLocked = false;
  files.clear();
});

describe('the session of the example for phones', () => {
  it('is there after a restart, and refreshed', async () => {
    const { username } = await register();
    const { client } = await startApp();
    const entered = await client.signIn({ identifier: username, password });
    expect(entered.ok && entered.body.refreshExpiresIn).toBe(60 * 24 * 3600);
    expire();
    const { client: next } = await startApp();
    const me = await next.request('GET', '/me');
    expect(me.ok && me.body.username).toBe(username);
    expect(entered.ok && (await generationOf(entered.body.session.id))).toBe(1);
  });

  it('is signed out when the app was installed again, also if the server hears of it later', async () => {
    const { username } = await register();
    const { client } = await startApp();
    await client.signIn({ identifier: username, password });
    files.clear();
    gate.all(LOGOUT, refused);
    const { client: next } = await startApp();
    expect(next.state.status).toBe('signed_out');
    expect([...keychain.items.keys()]).toEqual(['sallyport.ended']);
    gate.forget();
    await startApp();
    await eventually(() => expect(keychain.items.size).toBe(0));
    expect(gate.count(LOGOUT)).toBe(1);
  });

  it('is signed out at the next start where the phone was locked at the first', async () => {
    const { username } = await register();
    const { client } = await startApp();
    await client.signIn({ identifier: username, password });
    files.clear();
    keychain.isLocked = true;
    await startApp();
    expect(files.size).toBe(0);
    keychain.isLocked = false;
    const { client: next } = await startApp();
    expect(next.state.status).toBe('signed_out');
    expect(files.size).toBe(1);
  });

  it('asks for a second factor', async () => {
    const user = await register();
    const { code } = await addApp(ctx, user);
    const { client, onQuestion } = await startApp();
    const asked: string[] = [];
    onQuestion((question) => {
      if (!question) return;
      asked.push(question.problem.action);
      question.answer({ code: code() });
    });
    const entered = await client.signIn({ identifier: user.username, password });
    expect(entered.ok, JSON.stringify(entered.body)).toBe(true);
    expect(asked).toEqual(['second_factor']);
  });
});
