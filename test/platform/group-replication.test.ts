import { afterAll, describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { killUnderLoad, startServers } from '#test/support/cluster-scenario';
import { eventually } from '#test/support/eventually';
import { mysqlIsHere, primaryOf, startGroup } from '#test/support/group-replication';
import { rounds } from '#test/support/rounds';

const patient = { timeout: 600_000 };

describe.runIf(mysqlIsHere)('three servers over MySQL Group Replication', patient, async () => {
  if (!mysqlIsHere) return;
  const group = await startGroup();
  afterAll(() => group.stop());
  const running = await startServers(group);
  const { servers } = running;
  const signUp = async (username: string) => {
    const { status, body, text } = await servers[0].ask('POST', '/auth/register', {
      body: { username, password },
    });
    expect(status, text).toBe(201);
    return body;
  };
  afterAll(() => Promise.all(servers.map(({ kill }) => kill())));

  it('write to the primary, whichever host stands first in their DATABASE_URL', async () => {
    await signUp('ada');
    for (const { ask } of servers) {
      const body = { identifier: 'ada', password };
      expect((await ask('POST', '/auth/login', { body })).status).toBe(200);
    }
    const [hosts] = await group.nodes[await primaryOf(group.nodes)]!.root.query(
      "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db LIKE 'app%'",
    );
    expect(Number((hosts as { n: unknown }[])[0]!.n)).toBeGreaterThanOrEqual(3);
  });

  it('V-13 know of a sign-out at once, and exchange a refresh token once', async () => {
    for (let round = 0; round < rounds(10, 200); round++) {
      const { accessToken: token, refreshToken } = await signUp(`user${round}`);
      const refreshed = await Promise.all(
        servers.map(({ ask }) => ask('POST', '/auth/refresh', { body: { refreshToken } })),
      );
      expect(statusesOf(refreshed)).toEqual([200, 200, 200]);
      expect(new Set(refreshed.map(({ body }) => body.refreshToken)).size).toBe(1);
      const leaving = servers[round % 3]!;
      expect((await leaving.ask('POST', '/auth/logout', { token, body: {} })).status).toBe(204);
      const after = await Promise.all(servers.map(({ ask }) => ask('GET', '/me', { token })));
      expect(statusesOf(after)).toEqual([401, 401, 401]);
    }
  });

  it('X-02 follow the group to its next primary, and nothing acknowledged is lost', async () => {
    for (let round = 0; round < rounds(1, 10); round++)
      await killUnderLoad(group, running, await primaryOf(group.nodes));
    for (const { ask } of servers)
      await eventually(async () => expect((await ask('GET', '/readyz')).status).toBe(200));
  });
});
