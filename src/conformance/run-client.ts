import { DriverError, type Driver } from '#src/conformance/driver';
import { startNodes } from '#src/conformance/nodes';
import type { Scenario } from '#src/conformance/scenario';
import { scenariosOfEndings } from '#src/conformance/scenarios-of-endings';
import { scenariosOfFaults } from '#src/conformance/scenarios-of-faults';
import { scenariosOfTokens } from '#src/conformance/scenarios-of-tokens';
import { DAY, Failed, openEnvironment, Unsupported } from '#src/conformance/environment';

export interface Verdict {
  scenario: string;
  title: string;
  rules: readonly number[];
  verdict: 'passed' | 'failed' | 'skipped';
  why: string;
}

interface Run {
  driver: Driver;
  /** Empty databases, a node for each, in place of SQLite in a temporary folder. */
  databaseUrls?: readonly string[];
  /** Names of scenarios, in place of all. */
  only?: readonly string[];
}

/** Asked of clients: their pauses should be so many times as long. */
const PACE = 0.1;

/** By the clock of the server, which goes forward only. */
const scenarios: readonly Scenario[] = [
  ...scenariosOfTokens,
  ...scenariosOfEndings,
  ...scenariosOfFaults,
].toSorted((one, other) => (one.daysAhead ?? 0) - (other.daysAhead ?? 0));

/** Runs the scenarios of docs/conformance.md against the client that the driver moves. */
export async function runClient({ driver, databaseUrls = [], only = [] }: Run): Promise<Verdict[]> {
  const unknown = only.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) throw new Error(`There is no scenario ${unknown.join(', ')}`);
  const chosen = scenarios.filter(({ name }) => only.length === 0 || only.includes(name));
  const nodes = await startNodes(databaseUrls, (chosen[0]?.daysAhead ?? 0) * DAY);
  const verdicts: Verdict[] = [];
  try {
    for (const { run, daysAhead = 0, ...scenario } of chosen) {
      nodes.forward(Math.max(0, daysAhead * DAY - nodes.ahead));
      const { name, title, rules } = scenario;
      const told = await judge(async () => {
        const environment = await openEnvironment(nodes, driver, PACE);
        await run(environment).finally(() => environment.close());
      });
      verdicts.push({ scenario: name, title, rules, ...told });
    }
    return verdicts;
  } finally {
    driver.close();
    await nodes.close();
  }
}

/** A mistake of the driver is no verdict about one scenario, but the others may still say something. */
export async function judge(work: () => Promise<void>): Promise<Pick<Verdict, 'verdict' | 'why'>> {
  try {
    await work();
    return { verdict: 'passed', why: '' };
  } catch (error) {
    if (error instanceof Unsupported) return { verdict: 'skipped', why: error.message };
    if (error instanceof Failed || error instanceof DriverError)
      return { verdict: 'failed', why: error.message };
    throw error;
  }
}
