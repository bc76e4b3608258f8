import { existsSync } from 'node:fs';
import { type Browser, chromium, type Page } from 'playwright-core';

/** Debian's Chromium. Without it, test/platform/pages.test.ts says what is left out. */
export const CHROMIUM = '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);

export async function launchBrowser(...args: string[]): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...args],
  });
  // No test is about the speed of a machine that has other work: a step may take nearly as long as a test.
  browser.on('context', (context) => context.setDefaultTimeout(110_000));
  return browser;
}

/** Gives a page an authenticator of its own, which answers by itself as if its user had touched it. */
export async function addAuthenticator(page: Page, more: object = {}) {
  const devTools = await page.context().newCDPSession(page);
  await devTools.send('WebAuthn.enable');
  const { authenticatorId } = await devTools.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      ...more,
    },
  });
  return { devTools, authenticatorId };
}
