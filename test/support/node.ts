import { onTestFinished } from 'vitest';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { statementsOf } from '#test/support/statements';

/** Another node on the same database, with settings and connections of its own and without routes, until the test is over. */
export async function node(env: Record<string, string>) {
  const ctx = await openContext(parseSettings(settingsFrom(env)));
  onTestFinished(() => ctx.close());
  return { ctx, statements: statementsOf(ctx.db.sequelize, () => true) };
}
