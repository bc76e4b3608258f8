import { DriverError, type Driver } from '#src/conformance/driver';
import { startNodes } from '#src/conformance/nodes';
import type { Scene } from '#src/conformance/scene';
import { scenesOfEndings } from '#src/conformance/scenes-of-endings';
import { scenesOfFaults } from '#src/conformance/scenes-of-faults';
import { scenesOfTokens } from '#src/conformance/scenes-of-tokens';
import { DAY, Failed, openStage, Unsupported } from '#src/conformance/stage';

export interface Verdict {
  scene: string;
  title: string;
  rules: readonly number[];
  verdict: 'passed' | 'failed' | 'skipped';
  why: string;
}

interface Playing {
  driver: Driver;
  /** Empty databases, a node for each, in place of SQLite in a temporary folder. */
  databaseUrls?: readonly string[];
  /** Names of scenes, in place of all. */
  only?: readonly string[];
}

/** Asked of clients: their pauses should be so many times as long. */
const PACE = 0.1;

/** By the clock of the server, which goes forward only. */
const scenes: readonly Scene[] = [
  ...scenesOfTokens,
  ...scenesOfEndings,
  ...scenesOfFaults,
].toSorted((one, other) => (one.daysAhead ?? 0) - (other.daysAhead ?? 0));

/** Plays the scenes of docs/conformance.md against the client that the driver moves. */
export async function playClient({
  driver,
  databaseUrls = [],
  only = [],
}: Playing): Promise<Verdict[]> {
  const unknown = only.filter((name) => !scenes.some((scene) => scene.name === name));
  if (unknown.length > 0) throw new Error(`There is no scene ${unknown.join(', ')}`);
  const chosen = scenes.filter(({ name }) => only.length === 0 || only.includes(name));
  const nodes = await startNodes(databaseUrls, (chosen[0]?.daysAhead ?? 0) * DAY);
  const verdicts: Verdict[] = [];
  try {
    for (const { play, daysAhead = 0, ...scene } of chosen) {
      nodes.forward(Math.max(0, daysAhead * DAY - nodes.ahead));
      const { name, title, rules } = scene;
      const told = await judge(async () => {
        const stage = await openStage(nodes, driver, PACE);
        await play(stage).finally(() => stage.close());
      });
      verdicts.push({ scene: name, title, rules, ...told });
    }
    return verdicts;
  } finally {
    driver.close();
    await nodes.close();
  }
}

/** A mistake of the driver is no verdict about one scene, but the others may still say something. */
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
