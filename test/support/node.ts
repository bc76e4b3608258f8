import { onTestFinished, vi } from 'vitest';
import { statementsOf } from '#test/support/statements';

/** Another node on the same database: every module of ours once more, with settings and connections of its own, until the test is over. */
export async function node(env: Record<string, string> = {}) {
  const before = Object.keys(env).map((name) => [name, process.env[name]] as const);
  Object.assign(process.env, env);
  vi.resetModules();
  process.setMaxListeners(0); // the logger of each node listens for the end of the process
  const { connect } = await import('#models/index');
  const keys = { ...(await import('#src/keys/keys')), ...(await import('#src/keys/rotation')) };
  const { takeNext } = await import('#src/mail/attempt');
  const { subscribe } = await import('#src/core/events');
  const database = connect(process.env['DATABASE_URL']!);
  onTestFinished(() => database.close());
  for (const [name, value] of before)
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  return { ...keys, takeNext, subscribe, statements: statementsOf(database, () => true) };
}
