/** How long Redis may take to connect, in milliseconds. */
const CONNECT_TIMEOUT_MS = 3000;

/**
 * Connects to Redis once, and answers its role: `master`, or `slave` for a replica, which refuses to count. Undefined
 * if this user may not ask. Writes nothing.
 * @throws {Error} with the code of the library, if it does not answer or refuses us
 */
export async function redisRole(url: string): Promise<string | undefined> {
  const { createClient } = await import('@redis/client');
  const socket = { connectTimeout: CONNECT_TIMEOUT_MS, reconnectStrategy: false as const };
  const client = createClient({ url, RESP: 2, disableOfflineQueue: true, socket });
  client.on('error', () => {}); // what goes wrong is thrown by the call, too
  try {
    await client.connect();
    await client.sendCommand(['PING']);
    const answer: unknown = await client.sendCommand(['ROLE']).catch(() => []);
    const [role] = answer as string[];
    return role;
  } finally {
    client.destroy();
  }
}
