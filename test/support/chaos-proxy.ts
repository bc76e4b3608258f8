import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * `hold`: nothing gets through, nothing is closed. `refuse`: every connection is reset. A number: a delay each way, in
 * milliseconds.
 */
type Mode = 'pass' | 'hold' | 'refuse' | number;

/** Stands between a server and its database, and makes faults on request. */
export async function chaosProxy(target: number) {
  let mode: Mode = 'pass';
  let refused = 0;
  let opened = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).once('close', () => sockets.delete(socket)));
    return socket;
  };
  const forward = (from: Socket, to: Socket) => {
    from.on('data', (bytes) => {
      if (mode === 'pass') to.write(bytes);
      if (typeof mode === 'number') setTimeout(() => to.writable && to.write(bytes), mode);
    });
    from.once('close', () => to.destroy());
  };
  const server = createServer((client) => {
    keep(client);
    opened++;
    if (mode === 'refuse') {
      refused++;
      return void client.resetAndDestroy();
    }
    const database = keep(connect(target, '127.0.0.1'));
    forward(client, database);
    forward(database, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const reset = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    /** From now on. `refuse` also ends what is open. */
    set(next: Mode) {
      mode = next;
      if (next === 'refuse') reset();
    },
    reset,
    /** How many connections came. */
    opened: () => opened,
    /** How many connections were reset at once. */
    refused: () => refused,
    close() {
      reset();
      server.close();
    },
  };
}
