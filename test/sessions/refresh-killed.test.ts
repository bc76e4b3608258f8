import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { rowsOf, settingsFor, startProcess, type Running } from '#test/support/process';
import { rounds } from '#test/support/rounds';

const CLIENTS = 6;

interface Client {
  /** The newest token that it was given and stored. */
  held: string;
  /** How often the server answered 200, and how often that answer was lost or none came. */
  heard: number;
  lost: number;
}
const partsOf = (token: string) => {
  const bytes = Buffer.from(token.slice(4), 'base64url');
  return { id: bytes.toString('hex', 5, 21), generation: bytes.readUInt32BE(21) };
};
const refresh = ({ ask }: Running, refreshToken: string) =>
  ask('POST', '/auth/refresh', { body: { refreshToken } });

/**
 * Refreshes and uses the tokens until the server is gone. Sometimes loses an answer, as a bad
 * network does.
 */
async function live(server: Running, client: Client): Promise<void> {
  for (;;) {
    const answer = await refresh(server, client.held).catch(() => undefined);
    if (!answer) return void client.lost++;
    expect(answer.status, answer.text).toBe(200);
    client.heard++;
    if (Math.random() < 0.3) {
      client.lost++;
      continue;
    }
    client.held = answer.body.refreshToken;
    if (Math.random() < 0.5)
      await server.ask('GET', '/me', { token: answer.body.accessToken }).catch(() => {});
  }
}

it('a server that is killed while it refreshes signs nobody out, and forgets nothing that it said (X-13)', async () => {
  const databaseUrl = await emptyDatabase();
  const env = settingsFor(databaseUrl);
  const start = () => startProcess(env);
  let server = await start();
  const enter = async (_: unknown, i: number): Promise<Client> => {
    const { status, body, text } = await server.ask('POST', '/auth/register', {
      body: { username: `user${i}`, password },
    });
    expect(status, text).toBe(201);
    return { held: body.refreshToken, heard: 0, lost: 0 };
  };
  const clients = await Promise.all(Array.from({ length: CLIENTS }, enter));
  const total = (what: 'heard' | 'lost') => clients.reduce((sum, client) => sum + client[what], 0);
  const many = rounds(2, 30);
  for (let round = 0; round < many; round++) {
    const living = clients.map((client) => live(server, client));
    const enough = total('heard') + 1 + Math.random() * 40;
    await eventually(() => expect(total('heard')).toBeGreaterThanOrEqual(enough));
    await sleep(Math.random() * 5);
    await server.kill();
    await Promise.all(living);

    server = await start();
    const rows = await rowsOf(databaseUrl, 'SELECT id, generation, ended_at FROM sessions');
    for (const client of clients) {
      const { id, generation } = partsOf(client.held);
      const row = rows.find((row) => String(row['id']).replaceAll('-', '') === id)!;
      expect(row['ended_at']).toBeNull();
      expect(
        [generation, generation + 1],
        'what was answered is there, and at most one more',
      ).toContain(row['generation']);
      const { status, body, text } = await refresh(server, client.held);
      expect(status, text).toBe(200);
      expect(partsOf(body.refreshToken).generation).toBe(generation + 1);
      expect((await server.ask('GET', '/me', { token: body.accessToken })).status).toBe(200);
      client.held = body.refreshToken;
    }
  }
  expect(total('lost')).toBeGreaterThanOrEqual(CLIENTS * many);
  if (process.env['REPORT'])
    console.info(`kill -9: ${total('heard')} answered, ${total('lost')} lost, in ${many} rounds`);
});
