import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/**
 * What a process has used of the processor, in clock ticks: utime and stime of /proc/PID/stat (proc(5), fields 14 and 15).
 * The name of the program, field 2, may have spaces and parentheses of its own.
 */
export function ticksIn(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]);
}

const ticksPerSecond = (): number =>
  Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;

/** Answers the processor time of a process so far, in microseconds. All its threads count. */
export function createCpuClock(): (pid: number) => number {
  const microseconds = 1e6 / ticksPerSecond();
  return (pid) => ticksIn(readFileSync(`/proc/${pid}/stat`, 'utf8')) * microseconds;
}
