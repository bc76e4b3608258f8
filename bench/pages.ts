import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, CDPSession } from 'playwright-core';
import { onSqlite, runBench } from '#servers';
import { median } from '#statistics';

/** What each page costs a browser that has nothing of it yet, on a slow phone, as README.md says. */
const ROUNDS = 5;
const CPU_SLOWDOWN = 4;
/** "Fast 3G", as the developer tools of Chromium have it. */
const FAST_3G = {
  offline: false,
  latency: 562.5,
  downloadThroughput: 180_000,
  uploadThroughput: 84_375,
};
const PASSWORD = 'correct horse battery';

const path = (name: string) => fileURLToPath(new URL(name, import.meta.url));
// Not imported by name: Node reads test/ as it stands.
const { launchBrowser } = (await import(
  path('../test/support/chromium.ts')
)) as typeof import('../test/support/chromium.js');

interface Page {
  address: string;
  /** What is there when somebody can do what they came for. */
  usable: string;
  needsSession: boolean;
}
type Bytes = Record<'Document' | 'Script' | 'Stylesheet' | 'Fetch', number>;
interface Visit {
  bytes: Bytes;
  requests: number;
  paint: number;
  usable: number;
}

/** Counts what comes over the wire, headers included. */
function count(devTools: CDPSession) {
  const bytes: Bytes = { Document: 0, Script: 0, Stylesheet: 0, Fetch: 0 };
  const kinds = new Map<string, string>();
  devTools.on('Network.responseReceived', ({ requestId, type }) => kinds.set(requestId, type));
  devTools.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => {
    const kind = kinds.get(requestId);
    if (kind !== undefined && kind in bytes) bytes[kind as keyof Bytes] += encodedDataLength;
  });
  return { bytes, requests: () => kinds.size };
}

async function open(context: BrowserContext, { address, usable }: Page): Promise<Visit> {
  const page = await context.newPage();
  const devTools = await context.newCDPSession(page);
  await devTools.send('Network.enable');
  await devTools.send('Network.emulateNetworkConditions', FAST_3G);
  await devTools.send('Emulation.setCPUThrottlingRate', { rate: CPU_SLOWDOWN });
  const { bytes, requests } = count(devTools);
  await page.addInitScript(
    `(function look() { if (document.querySelector(${JSON.stringify(usable)})) window.usableAt = performance.now(); else requestAnimationFrame(look); })()`,
  );
  await page.goto(address, { waitUntil: 'networkidle', timeout: 120_000 });
  const [paint, usableAt] = await page.evaluate<[number, number]>(
    "[performance.getEntriesByName('first-contentful-paint')[0].startTime, window.usableAt]",
  );
  return { bytes, requests: requests(), paint, usable: usableAt };
}

const kB = (bytes: number) => Number((bytes / 1000).toFixed(1));

await runBench(async () => {
  const server = await onSqlite();
  const home = server.url.replace('127.0.0.1', 'localhost');
  const post = (route: string) =>
    fetch(home + route, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ username: 'ada', password: PASSWORD }),
    });
  if (!(await post('/auth/register')).ok) throw new Error('Nobody could register.');
  const granted = spawnSync(
    process.execPath,
    [path('../dist/src/cli.js'), 'role', 'grant', 'ada', 'admin'],
    { env: { PATH: process.env['PATH'], ...server.env }, encoding: 'utf8' },
  );
  if (granted.status !== 0) throw new Error(granted.stderr);

  const flow = new URLSearchParams({
    redirectUri: `${home}/account`,
    codeChallenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
    state: 'some-state',
  });
  const pages: Record<string, Page> = {
    '/sign-in': {
      address: `${home}/sign-in?${flow.toString()}`,
      usable: '[name=identifier]',
      needsSession: false,
    },
    '/account': { address: `${home}/account`, usable: '[name=username]', needsSession: true },
    '/console': { address: `${home}/console`, usable: '.figures dd', needsSession: true },
  };
  const browser = await launchBrowser();

  async function visit(page: Page): Promise<Visit> {
    const context = await browser.newContext({ viewport: { width: 390, height: 844 } });
    if (page.needsSession) {
      const answer = await context.request.post(`${home}/auth/login`, {
        headers: { 'X-Refresh-Token': 'cookie', Origin: home },
        data: { username: 'ada', password: PASSWORD },
      });
      const { session } = (await answer.json()) as { session: { id: string } };
      await context.addInitScript(`localStorage.setItem('sallyport', '${session.id}')`);
    }
    const seen = await open(context, page);
    await context.close();
    return seen;
  }

  const rows: Record<string, object> = {};
  for (const [name, page] of Object.entries(pages)) {
    const visits: Visit[] = [];
    for (let round = 0; round < ROUNDS; round++) visits.push(await visit(page));
    const of = (pick: (each: Visit) => number) => median(visits.map(pick));
    const bytes = (kind: keyof Bytes) => kB(of((each) => each.bytes[kind]));
    rows[name] = {
      'page kB': bytes('Document'),
      'scripts kB': bytes('Script'),
      'style kB': bytes('Stylesheet'),
      'answers kB': bytes('Fetch'),
      requests: of((each) => each.requests),
      'first paint ms': Math.round(of((each) => each.paint)),
      'usable ms': Math.round(of((each) => each.usable)),
    };
  }
  await browser.close();
  console.table(rows);
});
