import { until, type Load } from '#test/faults/load';
import type { Engine, Setup, Environment } from '#test/faults/environment';

/** One way in which the world breaks. */
export interface Fault extends Setup {
  /** A row of our catalogue of faults. */
  id: string;
  name: string;
  engines: readonly Engine[];
  /** Why it cannot be made on this machine, or undefined. */
  missing?: () => string | undefined;
  /** How often: in the short version, and in the whole one. Default: 1 and 20. */
  rounds?: readonly [short: number, whole: number];
  /** Breaks something under load, and mends it. What was acknowledged is checked afterwards. */
  round(environment: Environment, load: Load, round: number): Promise<void>;
}

export const BOTH: readonly Engine[] = ['sqlite', 'mariadb'];

/** A fault that nobody notices proves nothing. */
export const untilRefused = ({ ledger }: Environment): Promise<void> => {
  const before = ledger.refused;
  return until('a request is refused', () => ledger.refused > before + 5);
};
