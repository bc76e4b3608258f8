import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createConnection, type Connection } from 'mysql2/promise';
import type { Ask } from '#test/faults/account';
import type { Ledger } from '#test/faults/ledger';
import { roleChanges } from '#test/faults/role-changes';
import { chaosProxy } from '#test/support/chaos-proxy';
import { clientOf } from '#test/support/client';
import { freePort, startPrivateServer, type PrivateServer } from '#test/support/mysql';
import {
  emptyFolder,
  root,
  rowsOf,
  runProcess,
  settingsFor,
  startProcess,
  type Running,
} from '#test/support/process';

export type Engine = 'sqlite' | 'mariadb';

/** How the servers of a fault are started. */
export interface Setup {
  env?: Record<string, string>;
  /** Options of Node itself. */
  node?: string[];
  /** A shell line that runs before each server, in its process. */
  before?: string;
  /** Servers on one database. Default: 1. Clients change to another one when they get no answer. */
  nodes?: number;
  /** Own options of the database server. It is then not shared with other faults. */
  database?: string[];
  /** Where the database file stands. Default: an empty folder. */
  folder?: () => string;
}

/** The built server. `npm run test:faults` builds it first. */
const built = join(root, 'dist/src/server.js');
const builtCli = join(root, 'dist/src/cli.js');

/** One of the servers: it can be ended and started again on the same port. */
export class Node {
  readonly #env: Record<string, string | undefined>;
  readonly #setup: Setup;
  readonly #ledger: Ledger;
  #server: Running | undefined;
  #isEnding = false;
  /** Moves the clock of this server, by a file that its clock reads. */
  readonly clockFile = join(emptyFolder(), 'clock');

  constructor(env: Record<string, string | undefined>, setup: Setup, ledger: Ledger) {
    this.#setup = setup;
    this.#ledger = ledger;
    this.#env = { ...env, CLOCK_FILE: this.clockFile };
    this.moveClock('0');
  }

  get server(): Running {
    return this.#server!;
  }

  readonly ask: Ask = (...question) => clientOf(this.server.url, { untimed: true })(...question);

  async start(): Promise<void> {
    this.#ledger.mending();
    const { node = [], before } = this.#setup;
    const server = await startProcess(this.#env, {
      file: built,
      node,
      ...(before && { before }),
    });
    this.#server = server;
    this.#isEnding = false;
    void server.ended.then(({ code, signal, stderr }) => {
      if (this.#server === server && !this.#isEnding)
        this.#ledger.wrong.push(`the server died (${code ?? signal}): ${stderr.slice(-500)}`);
    });
  }

  /** Ends the server, and answers its exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    this.#isEnding = true;
    const { code } = await this.#server!.kill(signal);
    return code;
  }

  /** By how many milliseconds its clock is ahead from now on. `frozen`: it stands still. */
  moveClock(offset: string): void {
    writeFileSync(`${this.clockFile}.new`, offset);
    renameSync(`${this.clockFile}.new`, this.clockFile); // nobody reads half of it
  }
}

/** A database of its own for the servers of one fault. */
interface Place {
  /** Where the servers find it. */
  serverUrl: string;
  /** Where the checks find it, past every fault. */
  adminUrl: string;
  server?: { database: PrivateServer; proxy: Proxy };
  close(): Promise<void>;
}
type Proxy = Awaited<ReturnType<typeof chaosProxy>>;

/** What a fault happens to. */
export interface Environment {
  readonly ledger: Ledger;
  readonly nodes: readonly Node[];
  /** The first of them. */
  readonly node: Node;
  /** As a client: with several servers it goes on to the next one when one does not answer. */
  readonly ask: Ask;
  /** Only with a database server. */
  readonly database: PrivateServer;
  readonly proxy: Proxy;
  /** A connection of the administrator of the database server, past the proxy. The caller ends it. */
  admin(): Promise<Connection>;
  readonly rows: (sql: string) => Promise<Record<string, unknown>[]>;
  readonly roles: ReturnType<typeof roleChanges>;
  /** The file of an embedded database. */
  readonly file: string;
  close(): Promise<void>;
}

export async function openEnvironment(
  engine: Engine,
  setup: Setup,
  ledger: Ledger,
  shared: () => Promise<PrivateServer>,
): Promise<Environment> {
  const place = await (engine === 'sqlite' ? inFile(setup) : onServer(setup, shared));
  const defaults = { ACCESS_TOKEN_TTL: '3600', DATABASE_WAIT: '60' };
  const env = settingsFor(place.serverUrl, { ...defaults, ...setup.env });
  const nodes: Node[] = [];
  for (let i = 0; i < (setup.nodes ?? 1); i++)
    nodes.push(new Node({ ...env, PORT: String(await freePort()) }, setup, ledger));
  for (const node of nodes) await node.start();
  const ask = askInTurn(nodes);
  const cli = (...args: string[]) => runProcess('cli', env, { file: builtCli, args });
  return {
    ledger,
    nodes,
    node: nodes[0]!,
    ask,
    roles: roleChanges(ledger, ask, cli),
    get database() {
      return place.server!.database;
    },
    get proxy() {
      return place.server!.proxy;
    },
    admin: () => createConnection(place.adminUrl),
    rows: (sql) => rowsOf(place.adminUrl, sql),
    file: place.adminUrl.slice('sqlite:'.length),
    async close() {
      for (const node of nodes) await node.end('SIGKILL');
      await place.close();
    },
  };
}

/** The first server until it does not answer, then the next one. */
function askInTurn(nodes: readonly Node[]): Ask {
  let turn = 0;
  return async (...question) => {
    const asked = turn;
    const goOn = () => {
      if (turn === asked) turn = (turn + 1) % nodes.length;
    };
    try {
      const answer = await nodes[asked]!.ask(...question);
      if (answer.status === 503 || answer.headers.get('connection') === 'close') goOn();
      return answer;
    } catch (error) {
      goOn();
      throw error;
    }
  };
}

async function inFile({ folder = emptyFolder }: Setup): Promise<Place> {
  const serverUrl = `sqlite:${folder()}/x.sqlite`;
  return { serverUrl, adminUrl: serverUrl, close: async () => {} };
}

let databases = 0;

/** The servers sign in as a user without special rights, so that what stops users stops them. */
async function onServer(setup: Setup, shared: () => Promise<PrivateServer>): Promise<Place> {
  const database = await (setup.database ? startPrivateServer(setup.database) : shared());
  const proxy = await chaosProxy(database.port);
  const name = `faults_${++databases}`;
  const connection = await createConnection(database.url);
  await connection.query(`CREATE DATABASE ${name}`);
  await connection.query(`CREATE USER IF NOT EXISTS app@'127.0.0.1'`);
  await connection.query(`GRANT ALL ON ${name}.* TO app@'127.0.0.1'`);
  await connection.end();
  return {
    serverUrl: `mysql://app@127.0.0.1:${proxy.port}/${name}`,
    adminUrl: `${database.url}/${name}`,
    server: { database, proxy },
    async close() {
      proxy.close();
      if (setup.database) await database.stop();
    },
  };
}
