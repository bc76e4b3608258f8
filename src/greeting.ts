import { neededBy } from '#src/authentication/strategy-settings';
import { commandName } from '#src/platform/command-name';
import { hostsIn, serversOf } from '#src/platform/database/hosts';
import type { RunningServer } from '#src/server-program';

/**
 * What the server says when it is ready. To a terminal: a few lines for a person. Elsewhere: one line, for a log. The
 * address is the one that works in a browser: a sign-in cookie of `localhost` is not sent to `127.0.0.1`.
 */
export function greeting(server: RunningServer, isTerminal: boolean): string {
  return isTerminal ? forPerson(server) : forLog(server);
}

function forPerson(server: RunningServer): string {
  const { settings, strategies } = server.ctx;
  const address = addressOf(server);
  const offNames = strategies.off.map(({ name }) => name).join(', ');
  const lines = [
    '',
    `  Sallyport is ready at ${address}`,
    '',
    `  API docs   ${address}/docs`,
    ...(address.startsWith('https:') ? [`  Listening  ${server.url}`] : []),
    `  Database   ${placeOf(settings.databaseUrl)}`,
    `  Sign-in    ${strategies.on.map(({ name }) => name).join(', ')}`,
    ...(offNames
      ? ['             off until they have their settings:', `               ${offNames}`]
      : []),
    ...(settings.dialects.length > 0
      ? [`  Tutorials  ${settings.dialects.join(', ')} (DIALECTS=none switches them off)`]
      : []),
    '',
    '  Try it: create a user, then make them an administrator',
    `    curl ${address}/auth/register -H 'Content-Type: application/json' -d '{"username":"ada","password":"correct horse battery staple"}'`,
    `    ${commandName()} role grant ada admin`,
    '',
    '  Ctrl-C stops the server.',
    '',
  ];
  return `${lines.join('\n')}\n`;
}

function forLog(server: RunningServer): string {
  const { settings, strategies } = server.ctx;
  const address = addressOf(server);
  const on = strategies.on.map(({ name }) => name).join(', ') || 'none';
  const off =
    strategies.off.map((each) => [each.name, ...settingsIn(neededBy(each))].join(' ')).join(', ') ||
    'none';
  const database = placeOf(settings.databaseUrl);
  return `Sallyport is at ${address} · listening on ${server.url} · database ${database} · strategies on: ${on}; off: ${off} · docs ${address}/docs\n`;
}

const settingsIn = (names: readonly string[]): string[] =>
  names.length > 0 ? [`(${names.join(', ')})`] : [];

/** PUBLIC_URL; when the system chose the port, where the server listens. */
const addressOf = ({ ctx, url }: RunningServer): string =>
  ctx.settings.port === 0 ? `${url}${ctx.settings.basePath}` : ctx.settings.publicUrl;

/** Where the database is, without user and password. */
function placeOf(databaseUrl: string): string {
  if (databaseUrl.startsWith('sqlite:')) return databaseUrl;
  const [{ protocol, pathname }] = serversOf(databaseUrl);
  return `${protocol}//${hostsIn(databaseUrl)}${pathname}`;
}
