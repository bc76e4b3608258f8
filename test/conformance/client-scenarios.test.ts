import { expect, it } from 'vitest';
import { driverOf } from '#src/conformance/driver';
import { runClient } from '#src/conformance/run-client';
import { memoryKeys } from '#src/client/dpop';
import { sdkDpopTab, sdkSessionTab, sdkTab } from '#test/support/conformance/sdk-tab';
import { drive } from '#test/support/conformance/tabs';
import { emptyDatabase } from '#test/support/database';

/** A run waits for events, so nothing depends on it but how soon a test that hangs fails. */
const HANGS = 600_000;

it('lets sallyport/client pass every scenario', { timeout: HANGS }, async () => {
  const { url } = await drive(sdkTab, sdkSessionTab);
  const verdicts = await runClient({
    driver: driverOf(url),
    databaseUrls: [await emptyDatabase()],
  });
  expect(verdicts.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
  expect(verdicts.length).toBeGreaterThan(20);
});

it(
  'lets sallyport/client with DPoP pass every scenario that is not about stolen tokens',
  { timeout: HANGS },
  async () => {
    const { url } = await drive(sdkDpopTab(memoryKeys()));
    const verdicts = await runClient({
      driver: driverOf(url),
      databaseUrls: [await emptyDatabase()],
    });
    const others = verdicts.filter(({ verdict }) => verdict !== 'passed');
    expect(others.map(({ scenario, verdict, why }) => [scenario, verdict, why])).toEqual([
      ['duplicated-tab', 'skipped', expect.any(String)], // it is about sessionStorage
      ['stolen-token', 'skipped', expect.stringContaining('bound to a key')],
    ]);
    expect(verdicts.length).toBeGreaterThan(20);
  },
);
