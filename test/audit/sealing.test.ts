import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { sealedAfter } from '#src/audit/read';
import { sealNext } from '#src/audit/seal';
import { startSealing } from '#src/audit/sealing-worker';
import { verifyAudit } from '#src/audit/verify';
import { password, startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { times } from '#test/support/limited';
import { node } from '#test/support/node';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const { ctx, env, ask, register } = await startApp();

/** Waits until the task of a node, from now on, has looked once for what others did. The next look begins when one is over. */
async function hasLooked({ db }: Pick<typeof ctx, 'db'>): Promise<void> {
  const looks = statementsOf(db.sequelize, (sql) => sql.includes('FROM `audit_chain`'));
  await eventually(() => expect(looks.length).toBeGreaterThan(1));
}
const noneWaits = () =>
  eventually(async () => expect(await ctx.db.AuditEntry.count({ where: { seq: null } })).toBe(0));

describe('several nodes', () => {
  it('that seal and write at the same time make one trail without a gap', async () => {
    for (let round = 0; round < rounds(3, 30); round++) {
      const nodes = [ctx, (await node(env)).ctx, (await node(env)).ctx];
      const writing = nodes.map((each, n) =>
        times(25, (i) =>
          each.db.transaction(async () => each.events.emit('role.created', { role: `r${n}-${i}` })),
        ),
      );
      const sealing = nodes.map((each) => times(12, () => sealNext(each)));
      await Promise.all([...writing, ...sealing]);
      while ((await sealNext(ctx)) > 0);
      const { ok, faults, entries, lastSeq } = await verifyAudit(ctx);
      expect([ok, faults]).toEqual([true, []]);
      expect(entries).toBe(lastSeq);
      const all = await sealedAfter(ctx, 0, 10_000);
      expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
      expect(new Set(all.map(({ id }) => id)).size).toBe(await ctx.db.AuditEntry.count());
      for (const n of nodes.keys()) {
        const own = all.filter(({ details }) => String(details['role']).startsWith(`r${n}-`));
        const roles = own.slice(-25).map(({ details }) => details['role']);
        expect(roles).toEqual(Array.from({ length: 25 }, (_, i) => `r${n}-${i}`));
      }
    }
  });

  it('hear of what another one has sealed', async () => {
    const other = (await node(env)).ctx;
    const stops = [startSealing(ctx), startSealing(other)];
    onTestFinished(async () => {
      for (const stop of stops) await stop();
    });
    let told = 0;
    onTestFinished(other.audit.onSealed(() => void told++));
    await noneWaits();
    await hasLooked(other);
    const before = told;
    await register();
    await eventually(() => expect(told).toBeGreaterThan(before));
  });
});

describe('the task', () => {
  it('seals what was written before it began, and what is written while it runs', async () => {
    await register();
    const stop = startSealing(ctx);
    await noneWaits();
    await Promise.all(Array.from({ length: 5 }, () => register()));
    await noneWaits();
    await stop();
    await register();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await ctx.db.AuditEntry.count({ where: { seq: null } })).toBeGreaterThan(0);
    expect((await verifyAudit(ctx)).ok).toBe(true);
  });

  it('goes on when somebody has deleted the row of the chain, and the trail says so', async () => {
    const stop = startSealing(ctx);
    await noneWaits();
    const warned = vi.spyOn(ctx.log, 'warn');
    onTestFinished(() => warned.mockRestore());
    await ctx.db.AuditChain.destroy({ where: { id: 1 } });
    await hasLooked(ctx);
    expect(warned.mock.calls).toEqual([]);
    await register();
    await noneWaits();
    await stop();
    const { faults } = await verifyAudit(ctx);
    expect(faults).toContainEqual(expect.objectContaining({ fault: 'unproved' }));
  });

  it('does not hold up a sign-in while another node has the turn', async () => {
    const ada = await register();
    const other = (await node(env)).ctx;
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    const { promise: holding, resolve: held } = Promise.withResolvers<void>();
    const isServer = other.db.sequelize.getDialect() !== 'sqlite'; // SQLite has one writer at a time
    const hold = other.db.transaction(async () => {
      if (isServer) await other.db.AuditChain.update({ turn: 7 }, { where: { id: 1 } });
      held();
      if (isServer) await released;
    });
    await holding;
    const body = { identifier: ada.username, password };
    expect((await ask('POST', '/auth/login', { body })).status).toBe(200);
    release();
    await hold;
  });
});
