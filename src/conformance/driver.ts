import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** What the client under test is told to do. docs/conformance.md describes each. */
export type Order =
  | {
      do: 'open';
      url: string;
      publicUrl: string;
      store: string;
      pace: number;
      ofTab: boolean;
      copyOf?: string;
    }
  | { do: 'sign-in'; identifier: string; password: string }
  | { do: 'request'; method: string; path: string; body?: object; times: number }
  | { do: 'sign-out' }
  | { do: 'fail-storage' };

export interface Report {
  status?: number;
  statuses?: readonly number[];
  /** True: this client has nothing of the kind. */
  unsupported?: boolean;
  /** Of `open`: how long its pauses are, if it made them shorter. */
  pace?: number;
}

/** What moves the client under test. */
export interface Driver {
  tell(tab: string, order: Order): Promise<Report>;
  /** Ends a tab as if its process was killed. */
  kill(tab: string): Promise<void>;
  close(): void;
}

/** The driver did not do as docs/conformance.md says. */
export class DriverError extends Error {}

const PATIENCE_MS = 120_000;

/** `given`: an address, which gets each order by POST, or a command, which is started for each tab. */
export const driverOf = (given: string): Driver =>
  /^https?:\/\//.test(given) ? httpDriver(given) : commandDriver(given);

function httpDriver(address: string): Driver {
  const post = async (message: object): Promise<Report> => {
    try {
      const answer = await fetch(address, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(message),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (answer.ok) return (await answer.json()) as Report;
      throw new Error(`It answered ${answer.status}`);
    } catch (error) {
      throw new DriverError(`The driver at ${address} failed: ${String(error)}`);
    }
  };
  return {
    tell: (tab, order) => post({ tab, ...order }),
    kill: async (tab) => void (await post({ tab, do: 'kill' })),
    close() {},
  };
}

function commandDriver(command: string): Driver {
  const tabs = new Map<string, ReturnType<typeof startTab>>();
  return {
    tell(tab, order) {
      const running = tabs.get(tab) ?? startTab(command);
      tabs.set(tab, running);
      return running.tell({ tab, ...order });
    },
    kill: async (tab) => tabs.get(tab)?.kill(),
    close: () => tabs.forEach((tab) => void tab.kill()),
  };
}

/** A process of its own, in a process group of its own: what it starts ends with it. */
function startTab(command: string) {
  const child = spawn(command, {
    shell: true,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const waiting: PromiseWithResolvers<Report>[] = [];
  child.stdin.on('error', () => {});
  createInterface({ input: child.stdout }).on('line', (line) => {
    const next = waiting.shift();
    try {
      next?.resolve(JSON.parse(line) as Report);
    } catch {
      next?.reject(new DriverError(`The driver wrote what is no JSON: ${line.slice(0, 200)}`));
    }
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code) => {
      for (const { reject } of waiting) reject(new DriverError(`The driver ended (${code})`));
      resolve();
    });
  });
  return {
    async tell(order: object): Promise<Report> {
      const answer = Promise.withResolvers<Report>();
      const timer = setTimeout(
        () => answer.reject(new DriverError('The driver did not answer in two minutes')),
        PATIENCE_MS,
      );
      waiting.push(answer);
      if (!hasEnded(child)) child.stdin.write(`${JSON.stringify(order)}\n`);
      else
        answer.reject(
          new DriverError(`The driver has ended (${child.exitCode ?? child.signalCode})`),
        );
      return answer.promise.finally(() => clearTimeout(timer));
    },
    kill(): Promise<void> {
      signal(child);
      return ended;
    },
  };
}

/** Also by a signal: then it has no exit code. */
const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean =>
  exitCode !== null || signalCode !== null;

function signal(child: ChildProcess): void {
  const { pid } = child;
  if (!pid || hasEnded(child)) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}
