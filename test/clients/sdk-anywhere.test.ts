import { runInNewContext } from 'node:vm';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type * as Sdk from '#src/client/index';
import { password } from '#test/support/app';
import { createClient } from '#src/client/index';
import { bundle } from '#test/support/clients/bundle';
import { blocks } from '#test/support/clients/examples';
import { expire, REFRESH } from '#test/support/clients/harness';
import { sharedTexts, startSdk } from '#test/support/clients/sdk-harness';
import { importsOf, sources } from '#test/support/source';

const { ask, gate, generationOf, register } = await startSdk();
const { code, imports } = await bundle('index');

describe('sallyport/client', () => {
  it('is what docs/clients.md begins with, in five lines', async () => {
    const lines = blocks.get('sdk.js')!.trimEnd().split('\n');
    expect(lines).toHaveLength(5);
    const { text } = await ask('POST', '/auth/register', {
      body: { username: 'ada', password: 'correct horse battery staple' },
    });
    const said: string[] = [];
    const globals = {
      createClient: (options: Parameters<typeof createClient>[0]) =>
        createClient({ ...options, url: gate.url }),
      console: { log: (heard: string) => said.push(heard) },
    };
    await runInNewContext(`(async () => { ${lines.slice(1).join('\n')} })()`, globals);
    expect(said, text).toEqual(['Hello ada']);
  });

  it('has at most 6 kB, and brings nothing along', () => {
    expect(gzipSync(code, { level: 9 }).length).toBeLessThanOrEqual(6000);
    expect(imports).toEqual([]);
  });

  it('imports nothing but itself', () => {
    const files = [...sources].filter(([id]) => /^src\/client\/(?!react$)/.test(id));
    expect(files.length).toBeGreaterThan(5);
    for (const [id, source] of files)
      for (const { from } of importsOf(source)) expect(from, id).toMatch(/^#src\/client\//);
  });

  it('works where only React Native’s globals exist', async () => {
    /** An older Hermes ignores the second argument. */
    const HermesError = new Proxy(Error, { construct: (target, [text]) => new target(text) });
    const globals = {
      fetch,
      Headers,
      AbortController,
      URLSearchParams,
      setTimeout,
      clearTimeout,
      performance,
      Error: HermesError,
      navigator: { product: 'ReactNative' },
    };
    const [, names] = /export\s*\{([^}]+)\};?\s*$/.exec(code)!;
    const made = names!.replaceAll(/([\w$]+) as (\w+)/g, '$2:$1');
    const program = `${code.replace(/export\s*\{[^}]+\};?\s*$/, '')};({${made}})`;
    const { createClient } = runInNewContext(program, globals) as typeof Sdk;
    const client = createClient({ url: gate.url, storage: sharedTexts().tab() });
    const { username } = await register();
    const entered = await client.signIn({ identifier: username, password });
    expect(entered.ok, JSON.stringify(entered.body)).toBe(true);
    expire();
    const answers = await Promise.all([
      client.request('GET', '/me'),
      client.fetch(`${gate.url}/me/sessions`),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(gate.count(REFRESH)).toBe(1);
    expect(entered.ok && (await generationOf(entered.body.session.id))).toBe(1);
    expect((await client.signOut()).status).toBe(204);
  });
});
