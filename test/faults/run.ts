import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { checkDatabase, recovery } from '#test/faults/check';
import { clockFaults } from '#test/faults/clock-faults';
import { databaseFaults } from '#test/faults/database-faults';
import { deliveryFaults } from '#test/faults/delivery-faults';
import type { Fault } from '#test/faults/fault';
import { fileFaults, unmountDisks } from '#test/faults/file-faults';
import { Ledger } from '#test/faults/ledger';
import { startLoad } from '#test/faults/load';
import { line, machine, workInFolder } from '#test/faults/machine';
import { neighbours } from '#test/faults/neighbour-faults';
import { serverFaults } from '#test/faults/server-faults';
import { openEnvironment, type Engine, type Environment } from '#test/faults/environment';
import { startPrivateServer, type PrivateServer } from '#test/support/mysql';

const { values: options } = parseArgs({
  options: {
    /** A round or two of each, as CI does. */
    short: { type: 'boolean', default: false },
    /** Rounds of each, in place of its own number. */
    rounds: { type: 'string' },
    /** Only faults whose id or name has this text. */
    only: { type: 'string', default: '' },
    engine: { type: 'string' },
  },
});

/** Each asks without a pause. More would only measure how many passwords this machine hashes. */
const CLIENTS = 6;
/** Requests that are acknowledged before a fault. */
const WARM_UP = 20;

interface Row {
  fault: string;
  engine: Engine;
  rounds: number;
  acknowledged: number;
  refused: number;
  unanswered: number;
  lost: number;
  wrong: number;
  recovery: string;
}

let database: Promise<PrivateServer> | undefined;
const sharedServer = () => (database ??= startPrivateServer());

const roundsOf = ({ rounds = [1, 20] }: Fault): number =>
  Number(options.rounds ?? rounds[options.short ? 0 : 1]);

async function runRounds(environment: Environment, fault: Fault, many: number, times: number[]) {
  const { ledger } = environment;
  const load = startLoad(ledger, environment.ask, CLIENTS);
  for (let round = 0; round < many; round++) {
    await load.acknowledge(WARM_UP);
    ledger.mendedAt = 0;
    await fault.round(environment, load, round);
    if (ledger.mendedAt === 0) ledger.mending();
    times.push(await recovery(environment));
    await load.verify();
  }
  await load.stop();
}

async function runFault(fault: Fault, engine: Engine): Promise<Row> {
  const ledger = new Ledger();
  const many = roundsOf(fault);
  const times: number[] = [];
  try {
    const environment = await openEnvironment(engine, fault, ledger, sharedServer);
    try {
      await runRounds(environment, fault, many, times);
      await checkDatabase(environment, engine, ledger);
    } finally {
      await environment.close();
    }
  } catch (error) {
    ledger.wrong.push((error as Error).stack ?? '');
  }
  for (const [kind, list] of Object.entries({ lost: ledger.lost, wrong: ledger.wrong }))
    for (const each of list.slice(0, 10)) console.log(`  ${kind}: ${each}`);
  return {
    fault: `${fault.name} (${fault.id})`,
    engine,
    rounds: many,
    acknowledged: ledger.acknowledged,
    refused: ledger.refused,
    unanswered: ledger.unanswered.length,
    lost: ledger.lost.length,
    wrong: ledger.wrong.length,
    recovery: secondsOf(times),
  };
}

/** Median and longest. */
function secondsOf(times: number[]): string {
  const sorted = times.sort((a, b) => a - b);
  const shown = [sorted[Math.floor(sorted.length / 2)], sorted.at(-1)].map((ms = Number.NaN) =>
    (ms / 1000).toFixed(1),
  );
  return shown.join(' / ');
}

/** Every fault on one engine. Answers how much was lost or wrong. */
async function playAll(engine: Engine): Promise<number> {
  const removeFolder = workInFolder();
  const beside = await neighbours();
  const faults = [
    ...serverFaults,
    ...databaseFaults,
    ...fileFaults,
    ...clockFaults,
    ...beside.faults,
    ...deliveryFaults,
  ].filter(
    ({ id, name, engines }) => engines.includes(engine) && `${id} ${name}`.includes(options.only),
  );
  let failures = 0;
  for (const fault of faults) {
    const missing = fault.missing?.();
    if (missing) {
      line([`${fault.name} (${fault.id})`, engine, `skipped: ${missing}`, ...'      ']);
      continue;
    }
    const row = await runFault(fault, engine);
    failures += row.lost + row.wrong;
    line(Object.values(row));
  }
  await beside.close();
  await (await database)?.stop();
  unmountDisks();
  removeFolder();
  return failures;
}

/** Each engine in a process of its own, at the same time: most of a fault is waiting. */
async function playBoth(): Promise<number> {
  console.log(`${machine()}\n`);
  line([
    'Fault',
    'Database',
    'Rounds',
    'Acknowledged',
    'Answered 503',
    'Unanswered',
    'Lost',
    'Wrong',
    'Recovery in s (median / longest)',
  ]);
  line(Array.from({ length: 9 }, () => '---'));
  const codes = await Promise.all(
    ENGINES.map(async (engine) => {
      const args = [import.meta.filename, ...process.argv.slice(2), '--engine', engine];
      const [code] = await once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
      return code === 0 ? 0 : 1;
    }),
  );
  const failed = codes.filter((code) => code !== 0).length;
  console.log(failed === 0 ? '\nNothing was lost.' : '\nSomething was lost or wrong.');
  return failed;
}

const ENGINES: readonly Engine[] = ['sqlite', 'mariadb'];
const chosen = ENGINES.find((engine) => engine === options.engine);
const failures = await (chosen ? playAll(chosen) : playBoth());
process.exit(failures === 0 ? 0 : 1);
