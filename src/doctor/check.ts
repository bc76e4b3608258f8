import type { Settings } from '#src/platform/settings/settings';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** What the checks are about. */
export interface Subject {
  settings: Settings;
  /** Those that are off, too. */
  strategies: readonly AuthStrategy[];
}

/** What a check found. A sentence says what is wrong, and the remedy. No sentence holds a secret. */
export interface Found {
  wrong?: readonly string[];
  /** What may be meant so. */
  warnings?: readonly string[];
  /** What is there, in a few words. */
  fine?: string;
}

/** It changes nothing, and ends within seconds. What it throws counts as wrong. */
export interface Check {
  name: string;
  /** Not asked where the database does not answer: one sentence about that is enough. */
  needsDatabase?: boolean;
  run(subject: Subject): Promise<Found>;
}
