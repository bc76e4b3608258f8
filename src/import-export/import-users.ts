import { UniqueConstraintError } from 'sequelize';
import type { Context } from '#src/context';
import { createUsers, type NewUser } from '#src/import-export/create-users';
import type { Entry } from '#src/import-export/entries';
import { ExistingUsers, type UserIds } from '#src/import-export/existing-users';
import { digestsOf, faultOf, whyNotCarried } from '#src/import-export/factor-line';
import type { Line, Refusal, Row } from '#src/import-export/sources/source';
import { parseUserLine, type UserLine } from '#src/import-export/user-file';

/** What happened to one user. */
export interface ImportedLine {
  number: number;
  outcome: 'imported' | 'unchanged' | 'refused';
  /** The roles of an imported user, or a reason. */
  detail: string;
  /** What an imported user has to do before they can sign in, if anything. */
  note?: string | undefined;
  /** Second factors that they had elsewhere and do not have here, in words. */
  notCarried?: readonly string[] | undefined;
}

/** Users in one transaction. */
const BATCH_SIZE = 500;
/** A batch is repeated when somebody registers one of its names at the same moment. */
const MAX_ATTEMPTS = 5;

interface ImportOptions {
  /** Turns a user of another system into one of our own format. */
  convert?: (row: Row) => Line | Refusal;
  /** Reports the same, and writes nothing. */
  dryRun?: boolean;
}

/**
 * Imports users (docs/migrating-users.md) and reports the outcome of each: never a name, an address or a hash. Users who
 * exist are left alone, so an import can be run again. Each batch is one transaction.
 */
export async function importUsers(
  ctx: Context,
  entries: AsyncIterable<Entry>,
  report: (line: ImportedLine) => void,
  { convert, dryRun = false }: ImportOptions = {},
): Promise<void> {
  const existing = new ExistingUsers(ctx); // of a dry run: it remembers the users of all batches
  let batch: CheckedLine[] = [];
  const flush = async () => {
    const outcomes = dryRun
      ? (await classify(batch, existing)).outcomes
      : await importBatch(ctx, batch);
    outcomes.forEach(report);
    batch = [];
  };
  for await (const entry of entries) {
    const line = await checked(ctx, entry, convert);
    if (batch.push({ number: entry.number, line }) === BATCH_SIZE) await flush();
  }
  await flush();
}

/** A user who can be imported: with the factors that are of use here, and words for the others. */
interface GoodLine extends UserLine {
  notCarried: readonly string[];
}
interface CheckedLine {
  number: number;
  line: GoodLine | Refusal;
}

async function checked(
  ctx: Context,
  { value, fault }: Entry,
  convert: ImportOptions['convert'],
): Promise<GoodLine | Refusal> {
  if (fault !== undefined) return fault;
  const isObject = typeof value === 'object' && value !== null;
  const own = convert && isObject ? convert(value as Row) : value;
  if (typeof own === 'string' && convert) return own;
  const line = parseUserLine(own, ctx.clock.now());
  if (typeof line === 'string') return line;
  const { passwordHash, factors } = line;
  const badHash =
    typeof passwordHash === 'string' ? await ctx.passwords.whyRefused(passwordHash) : undefined;
  return badHash ?? (await faultOf(factors ?? [])) ?? withFactors(ctx, line);
}

function withFactors({ settings }: Context, line: UserLine): GoodLine {
  const { passkeyRpId } = settings;
  const all = (line.factors ?? []).map((each) => ({ each, why: whyNotCarried(each, passkeyRpId) }));
  const factors = all.flatMap(({ each, why }) => (why === undefined ? [each] : []));
  const notCarried = [...new Set(all.flatMap(({ why }) => why ?? []))];
  const recoveryCodeHashes = factors.length > 0 ? line.recoveryCodeHashes : [];
  return { ...line, factors, recoveryCodeHashes, notCarried };
}

async function importBatch(
  ctx: Context,
  lines: readonly CheckedLine[],
  attempt = 1,
): Promise<ImportedLine[]> {
  try {
    return await ctx.db.transaction(async () => {
      const { outcomes, newUsers } = await classify(lines, new ExistingUsers(ctx));
      await createUsers(ctx, newUsers);
      return outcomes;
    });
  } catch (error) {
    // Somebody has registered one of the names since we looked.
    if (error instanceof UniqueConstraintError && attempt < MAX_ATTEMPTS)
      return importBatch(ctx, lines, attempt + 1);
    throw error;
  }
}

/** The outcome of each user, and the users to create. */
async function classify(
  lines: readonly CheckedLine[],
  existing: ExistingUsers,
): Promise<{ outcomes: ImportedLine[]; newUsers: NewUser[] }> {
  await existing.load(lines.flatMap(({ line }) => (typeof line === 'string' ? [] : idsOf(line))));
  const newUsers: NewUser[] = [];
  const outcomes = lines.map(({ number, line }): ImportedLine => {
    if (typeof line === 'string') return { number, outcome: 'refused', detail: line };
    const ids = idsOf(line);
    const found = existing.find(ids);
    if (found) return { number, ...found };
    existing.add(ids, number);
    const roles = [...new Set(line.roles ?? ['user'])].sort();
    newUsers.push({ line, roles });
    const { notCarried } = line;
    return { number, outcome: 'imported', detail: roles.join(','), note: noteOn(line), notCarried };
  });
  return { outcomes, newUsers };
}

/** Begins the note on a user who has no way in. */
export const LOCKED_OUT = 'cannot sign in';

/** A user who cannot sign in is not imported without a word. */
function noteOn({
  passwordHash,
  email,
  identities,
  factors,
  disabled,
}: UserLine): string | undefined {
  if (disabled) return 'disabled';
  if (passwordHash) return undefined;
  if (identities?.length) return 'no password: signs in with a provider';
  if (factors?.some(({ kind }) => kind === 'passkey'))
    return 'no password: signs in with a passkey';
  return email
    ? 'no password: has to choose one by "forgot password"'
    : `${LOCKED_OUT}: no password, no provider and no e-mail address`;
}

const idsOf = ({ id, username, email, identities, factors }: UserLine): UserIds => ({
  id: id ?? undefined,
  usernameCanonical: username?.canonical,
  emailCanonical: email?.canonical,
  identities: identities ?? [],
  passkeys: digestsOf(factors ?? []),
});
