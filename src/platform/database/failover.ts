import type { Socket } from 'node:net';
import type { Sequelize } from 'sequelize';
import { mayBeBetterElsewhere } from '#src/platform/database/errors';

/** A host that failed is tried after the others for so long, in milliseconds. */
const AVOID_FOR_MS = 10_000;

interface Host {
  hostname: string;
  port: string;
}
type Done = (error: Error | null, ...rest: unknown[]) => void;
type Send = (sql: unknown, ...rest: unknown[]) => unknown;
/** The part that we use of what Sequelize connects for MySQL: mysql2's callback connection. */
export interface MysqlConnection {
  stream: Socket;
  _command?: unknown;
  query: Send;
  execute: Send;
  destroy(): void;
}
/** The part of Sequelize's connection manager that is changed here. */
interface Manager {
  connect(config: object): Promise<MysqlConnection>;
  validate(connection: MysqlConnection): boolean;
}

/**
 * Opens each connection to the first host that takes it and lets `prepare` pass, in this order. When a statement fails
 * because its host has left the cluster or may not write, no connection to it is used again.
 */
export function connectInTurn(
  sequelize: Sequelize,
  hosts: readonly Host[],
  prepare: (connection: MysqlConnection) => Promise<void>,
): void {
  const manager = sequelize.connectionManager as unknown as Manager;
  const connect = manager.connect.bind(manager);
  const validate = manager.validate.bind(manager);
  const failedAt = new Map<Host, number>();
  /** Connections that are in use, by host. A host that has failed gets a new set. */
  const usable = new Map<Host, WeakSet<MysqlConnection>>(
    hosts.map((host) => [host, new WeakSet()]),
  );

  const isAvoided = (host: Host) =>
    performance.now() - (failedAt.get(host) ?? -Infinity) < AVOID_FOR_MS;
  const inTurn = () => hosts.toSorted((a, b) => Number(isAvoided(a)) - Number(isAvoided(b)));

  const open = async (config: object, host: Host): Promise<MysqlConnection> => {
    const port = Number(host.port) || 3306;
    const connection = await connect({ ...config, host: nameOf(host), port });
    try {
      await prepare(connection);
    } catch (error) {
      connection.destroy();
      throw error;
    }
    usable.get(host)!.add(connection);
    if (hosts.length > 1)
      onError(connection, (error) => {
        if (!mayBeBetterElsewhere(error)) return;
        failedAt.set(host, performance.now());
        usable.set(host, new WeakSet());
      });
    return connection;
  };

  Object.assign(manager, {
    async connect(config) {
      let failure: unknown;
      for (const host of inTurn())
        try {
          return await open(config, host);
        } catch (error) {
          failure = error;
          failedAt.set(host, performance.now());
        }
      throw failure;
    },
    validate: (connection) =>
      validate(connection) && [...usable.values()].some((open) => open.has(connection)),
  } satisfies Manager);
}

/** The brackets of an IPv6 address are for URLs. */
const nameOf = ({ hostname }: Host): string => hostname.replaceAll(/^\[|\]$/g, '');

/** Tells of each statement that fails on this connection. */
function onError(connection: MysqlConnection, tell: (error: Error) => void): void {
  for (const name of ['query', 'execute'] as const) {
    const send = connection[name].bind(connection);
    connection[name] = (sql, ...rest) => {
      const done = rest.pop() as Done;
      return send(sql, ...rest, (error: Error | null, ...answer: unknown[]) => {
        if (error) tell(error);
        done(error, ...answer);
      });
    };
  }
}
