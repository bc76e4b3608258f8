import { setTimeout as sleep } from 'node:timers/promises';
import { isJoining, reasonOf } from '#src/platform/database/errors';
import { hostsIn } from '#src/platform/database/hosts';
import { openSequelize, sqliteFileOf } from '#src/platform/database/open';

/** Says what is waited for, in one line. */
export type Tell = (line: string) => void;

const LOOK_MS = 500;

/** A database that is starting answers so, or its network does. What is refused is no better a second later. */
const STARTING: ReadonlySet<string> = new Set(
  (
    'ECONNREFUSED ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH ETIMEDOUT ECONNRESET EPIPE PROTOCOL_CONNECTION_LOST ' +
    'ER_CON_COUNT_ERROR ER_TOO_MANY_USER_CONNECTIONS ER_SERVER_SHUTDOWN ER_NORMAL_SHUTDOWN ' +
    'SequelizeConnectionAcquireTimeoutError'
  ).split(' '),
);

/**
 * Waits until a database server answers and its node has joined its cluster, at most `seconds` in all.
 * @throws the last error, and at once what waiting does not mend, such as a wrong password
 */
export async function awaitDatabase(url: string, seconds: number, tell: Tell): Promise<void> {
  if (sqliteFileOf(url) !== undefined) return;
  await whenReady(
    () => ping(url),
    seconds,
    (reason) => {
      tell(
        `Waiting for the database at ${hostsIn(url)}, at most ${seconds} s: it does not answer (${reason})`,
      );
    },
  );
}

/** Does work on a database that may be starting. `told` is called once, with a reason, when it waits. */
export async function whenReady<T>(
  work: () => Promise<T>,
  seconds: number,
  told: (reason: string) => void,
): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (let isTold = false; ; await sleep(LOOK_MS)) {
    try {
      return await work();
    } catch (error) {
      const reason = reasonOf(error);
      if (!STARTING.has(reason) && !isJoining(error)) throw error;
      if (performance.now() + LOOK_MS > deadline) throw error;
      if (!isTold) told(reason);
      isTold = true;
    }
  }
}

async function ping(url: string): Promise<void> {
  const database = openSequelize(url);
  try {
    await database.query('SELECT 1');
  } finally {
    await database.close();
  }
}
