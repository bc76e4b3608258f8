import type { Sequelize } from 'sequelize';
import { onTestFinished } from 'vitest';
import { grantRole } from '#src/access/roles';
import { startApp } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { newCast, type Cast, type Member } from '#test/support/fuzz/cast';
import { operationsOf, type ApiDocument } from '#test/support/fuzz/operations';
import { wrongInLog } from '#test/support/fuzz/oracle';
import { senderTo } from '#test/support/fuzz/send';
import { mountedRoutes } from '#test/support/mounted';
import { node } from '#test/support/node';
import { settingsFor, startProcess } from '#test/support/process';

/** Adapters that go together. */
const DIALECTS = ['bezkoder,zohaib,devckano', 'bezkoder-cookies', 'grokonez', 'grokonez-react'];
/** So many seeds have the same adapters. */
const SEEDS = 2 ** 24;

export const settingsOf = (seed: number) => ({
  API_KEYS: 'on',
  BASIC_AUTH: 'on',
  EMAIL_CODE: 'on',
  GITHUB_CLIENT_ID: 'id',
  GITHUB_CLIENT_SECRET: 'of the app',
  REDIRECT_URIS: 'https://app.example/signed-in',
  ALLOWED_ORIGINS: 'https://app.example',
  EMAIL_VERIFICATION: 'optional',
  DIALECTS: DIALECTS[Math.floor(seed / SEEDS) % DIALECTS.length]!,
});

/** The routes of an instance with these settings, and its schemas. */
export async function readRoutes(seed: number) {
  const { app, document } = await startApp(settingsOf(seed));
  const api = (await document()) as unknown as ApiDocument;
  return {
    operations: operationsOf(api, mountedRoutes(app)),
    components: api.components.schemas ?? {},
  };
}

/** A server in a process of its own with as many features as one server has, and what a fuzzer has to know of it. */
export async function startTarget(seed: number) {
  const databaseUrl = await emptyDatabase();
  const settings = settingsFor(databaseUrl, settingsOf(seed));
  const server = await startProcess({ ...settings, LOG_LEVEL: 'info' });
  const { send, close } = senderTo(server.url);
  onTestFinished(close);
  const { ctx } = await node(settings as Record<string, string>);
  const { User, Role, sequelize } = ctx.db;
  const admin = (await Role.findOne({ where: { name: 'admin' } }))!;
  const grant = async ({ id }: Member) => {
    await grantRole(ctx, (await User.findByPk(id))!, admin);
  };
  let read = 0;
  return {
    ...server,
    send,
    newCast: () => newCast(server.ask, grant),
    countRows: () => countRows(sequelize),
    /** What is wrong in the log since the last call. */
    readLog({ user, admin, keys, refreshTokens }: Cast): string | undefined {
      const text = server.heard.stdout.slice(read);
      const end = text.lastIndexOf('\n') + 1;
      read += end;
      const secrets = [user.token, admin.token, user.password, ...keys, ...refreshTokens];
      return wrongInLog(text.slice(0, end).split('\n').filter(Boolean), secrets);
    },
  };
}
export type Target = Awaited<ReturnType<typeof startTarget>>;

/** Tables that a refusal may write to: mails about it, and rows by which requests take turns. */
const UNCOUNTED = ['outgoing_mails', 'turns', 'audit_entries', 'audit_chain', 'audit_days'];

/** How many rows each table has. */
async function countRows(sequelize: Sequelize): Promise<string> {
  const tables = Object.values(sequelize.models)
    .map((model) => model.tableName)
    .filter((table) => !UNCOUNTED.includes(table));
  const counts = tables.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`);
  const [rows] = await sequelize.query(`SELECT ${counts.join(', ')}`);
  return JSON.stringify(rows[0]);
}
