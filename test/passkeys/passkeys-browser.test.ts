import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { blocks } from '#test/support/clients/examples';
import { addAuthenticator, hasBrowser, launchBrowser } from '#test/support/chromium';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';

/** The package as browsers load it. Nothing of it is changed. */
const LIBRARY = new URL('.', import.meta.resolve('@simplewebauthn/browser'));
const IMPORTS = { imports: { '@simplewebauthn/browser': '/library/index.js' } };
const PAGE = `<!doctype html><title>App</title><script type="importmap">${JSON.stringify(IMPORTS)}</script>`;
/** An app of another origin: an empty page, the package, and the modules of docs/clients.md. */
const site = createServer((req, res) => {
  const path = req.url!.slice(1);
  const module = path.startsWith('library/')
    ? readFileSync(new URL(path.slice('library/'.length), LIBRARY))
    : blocks.get(path);
  res
    .setHeader('Content-Type', module === undefined ? 'text/html' : 'text/javascript')
    .end(module ?? PAGE);
});
await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
const origin = `http://localhost:${(site.address() as AddressInfo).port}`;
afterAll(() => site.close());

// No setting is about passkeys: what works on a developer's machine by itself.
const { url, register, Passkey } = await startApp({ ALLOWED_ORIGINS: origin });

/** The code of docs/clients.md. The client keeps the tokens in a variable. */
const CLIENT = `Promise.all([import('/fetch-client.js'), import('/passkey.js')]).then(
  ([{ createClient }, passkey]) => {
    let kept = null;
    const storage = { get: () => kept, set: (tokens) => (kept = tokens), clear: () => (kept = null) };
    window.client = createClient({ baseUrl: '${url}', storage });
    window.passkey = passkey;
    window.use = (tokens) => void (kept = tokens);
  },
)`;

interface Answer {
  status: number;
  code?: string;
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  body: any;
}

describe.runIf(hasBrowser)('a passkey in Chromium, with @simplewebauthn/browser', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launchBrowser();
  });
  afterAll(() => browser?.close());

  const openPage = async (authenticator: object = {}) => (await openWithTools(authenticator)).page;
  async function openWithTools(authenticator: object = {}) {
    const context = await browser.newContext();
    const page = await context.newPage();
    const { devTools, authenticatorId } = await addAuthenticator(page, authenticator);
    await page.goto(origin);
    await page.evaluate(CLIENT);
    return { page, devTools, authenticatorId };
  }
  /** A page with the field of a sign-in form, and a switch for whether somebody chooses a passkey as soon as they may. */
  async function openForm() {
    const { page, devTools, authenticatorId } = await openWithTools();
    await page.evaluate(`document.body.innerHTML = '<input autocomplete="username webauthn">'`);
    const somebodyThere = (enabled: boolean) =>
      devTools.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled });
    return { page, somebodyThere };
  }
  type Page = Awaited<ReturnType<typeof openPage>>;
  const run = (page: Page, call: string) => page.evaluate<Answer>(call);
  const add = async (page: Page, { tokens }: Awaited<ReturnType<typeof register>>) => {
    await page.evaluate(`use(${JSON.stringify(tokens)})`);
    return run(page, 'passkey.addPasskey(client)');
  };
  const signIn = (page: Page) =>
    run(page, "use(null), passkey.signIn(client, { name: 'A laptop' })");

  it('is made, signs in without a name, and answers as a second factor', async () => {
    const page = await openPage();
    const ada = await register({ name: 'Ada Lovelace' });
    const made = await add(page, ada);
    expect([made.status, made.body.kind], JSON.stringify(made.body)).toEqual([201, 'passkey']);
    expect(made.body.recoveryCodes).toHaveLength(10);
    const kept = await Passkey.findByPk(made.body.id);
    expect(kept!.transports).toBe('internal');

    const signedIn = await signIn(page);
    expect([signedIn.status, signedIn.body.user?.id]).toEqual([200, ada.id]);
    expect(signedIn.body.session.strategy).toBe('passkey');
    expect((await signIn(page)).status).toBe(200);

    await page.evaluate('use(null)');
    const credentials = JSON.stringify({ identifier: ada.username, password });
    const asked = await run(page, `client.login(${credentials})`);
    expect([asked.status, asked.body.code]).toEqual([403, 'mfa_required']);
    const { mfaToken } = asked.body;
    const second = await run(page, `passkey.finishSignIn(client, '${mfaToken}')`);
    expect([second.status, second.body.user?.id]).toEqual([200, ada.id]);
    expect((await Passkey.findByPk(made.body.id))!.counter).toBeGreaterThan(kept!.counter);

    const another = run(page, 'passkey.addPasskey(client)'); // two factors are proved now
    await expect(another).rejects.toThrow(/previously registered/);
    await page.context().close();
  });

  it('finds its user among several', async () => {
    const people = [await register(), await register()];
    for (const person of people) {
      const page = await openPage();
      expect((await add(page, person)).status).toBe(201);
      expect((await signIn(page)).body.user.id).toBe(person.id);
      await page.context().close();
    }
  });

  const AUTOFILL = "use(null), window.chosen = passkey.autofill(client), 'begun'";

  it('is offered in the field for the name, and signs in', async () => {
    const { page } = await openForm();
    const ada = await register();
    expect((await add(page, ada)).status).toBe(201);
    await page.evaluate(AUTOFILL);
    const { status, body } = await run(page, 'chosen');
    expect([status, body.user?.id, body.session?.strategy]).toEqual([200, ada.id, 'passkey']);
    await page.context().close();
  });

  it('is still offered there when the page was open for longer than a challenge lives', async () => {
    const { page, somebodyThere } = await openForm();
    const ada = await register();
    expect((await add(page, ada)).status).toBe(201);
    let asked = 0;
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/auth/passkey/options')) asked++;
    });
    await somebodyThere(false);
    await page.clock.install();
    await page.evaluate(AUTOFILL);
    await eventually(() => expect(asked).toBe(1));
    await page.waitForTimeout(200); // the browser has been asked, too
    wait(301 * SECOND);
    await somebodyThere(true); // what was asked before goes on waiting
    await page.clock.fastForward(280 * SECOND);
    const { status, body } = await run(page, 'chosen');
    expect([status, body.user?.id]).toEqual([200, ada.id]);
    expect(asked).toBe(2);
    vi.useRealTimers();
    await page.context().close();
  });

  it('is asked for by a button, too, and the field gives way', async () => {
    const { page, somebodyThere } = await openForm();
    const ada = await register();
    expect((await add(page, ada)).status).toBe(201);
    await somebodyThere(false);
    await page.evaluate(AUTOFILL);
    await page.waitForTimeout(200);
    await somebodyThere(true); // what was asked before goes on waiting
    expect((await signIn(page)).body.user?.id).toBe(ada.id);
    expect(await page.evaluate('chosen')).toBeNull();
    await page.context().close();
  });

  it('is not made by an authenticator that verifies nobody', async () => {
    const page = await openPage({ isUserVerified: false });
    await expect(add(page, await register())).rejects.toThrow(/not allowed/);
    await page.context().close();
  });
});
