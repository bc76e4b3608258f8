import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** Debian's Chromium. Without it, test/platform/pages.test.ts says what is left out. */
export const CHROMIUM = '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);

export const launchBrowser = (...args: string[]) =>
  chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', ...args],
  });
