import { SettingsError } from '#src/platform/settings/settings-error';

const OLDEST_NODE = [22, 18] as const;
/** Exit code of a program whose settings are wrong (EX_CONFIG of sysexits.h). */
const WRONG_SETTINGS = 78;

/**
 * Runs a program. Everything else is imported inside `main`, so that an old Node, a wrong setting or an unavailable
 * database ends in sentences on standard error, not in a stack trace.
 */
export async function run(main: () => Promise<void>): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor < OLDEST_NODE[1]))
    exit(
      [`Sallyport needs Node.js ${OLDEST_NODE.join('.')} or newer; this is ${process.version}.`],
      WRONG_SETTINGS,
    );
  try {
    await main();
  } catch (error) {
    if (error instanceof SettingsError) exit(error.mistakes, WRONG_SETTINGS);
    exit([await sentenceOf(error)], 1);
  }
}

function exit(lines: readonly string[], code: number): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}

async function sentenceOf(error: unknown): Promise<string> {
  const { code = '', name, message } = error as NodeJS.ErrnoException;
  if (name === 'StartError') return message;
  if (/^(ERR_MODULE_NOT_FOUND|MODULE_NOT_FOUND|ERR_DLOPEN_FAILED|ERR_PACKAGE_\w+)$/.test(code))
    return `A package that the server needs is missing or made for another machine (${code}): run npm ci in its folder.`;
  const { isDatabaseUnavailable, reasonOf } = await import('#src/platform/database/errors');
  const reason = reasonOf(error);
  if (/^ER_(ACCESS|DBACCESS|BAD_DB|SECURE|NOT_SUPPORTED)/.test(reason))
    return `The database refuses us (${reason}). Are user, password and database name in DATABASE_URL right?`;
  if (isDatabaseUnavailable(error))
    return `The database does not answer (${reason}). Is it running, and is DATABASE_URL right?`;
  return error instanceof Error ? error.message || error.name : 'Stopped without a reason.';
}
