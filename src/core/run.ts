import { SettingsError } from '#src/core/settings-error';

const OLDEST = [22, 18] as const;

/**
 * Runs a program of ours. Everything else is imported inside `main`, so that a Node that is too old, a wrong setting or
 * a database that is away ends in sentences on standard error, not in a stack trace. Exit code 78 is a matter of settings.
 */
export async function run(main: () => Promise<void>): Promise<void> {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]))
    end([`Sallyport needs Node.js ${OLDEST.join('.')} or newer; this is ${process.version}.`], 78);
  try {
    await main();
  } catch (error) {
    if (error instanceof SettingsError) end(error.mistakes, 78);
    end([await sentence(error)], 1);
  }
}

function end(lines: readonly string[], code: number): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(code);
}

async function sentence(error: unknown): Promise<string> {
  const { isDatabaseAway, reasonOf } = await import('#models/database');
  const reason = reasonOf(error);
  if (/^ER_(ACCESS|DBACCESS|BAD_DB|SECURE|NOT_SUPPORTED)/.test(reason))
    return `The database refuses us (${reason}). Are user, password and database name in DATABASE_URL right?`;
  if (isDatabaseAway(error)) return `The database does not answer (${reason}). Is it running, and is DATABASE_URL right?`;
  return error instanceof Error ? error.message || error.name : 'Stopped without a reason.';
}
