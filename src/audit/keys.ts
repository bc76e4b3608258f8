import { createHmac, randomBytes } from 'node:crypto';
import type { AuditKey } from '#models/index';
import type { Context } from '#src/context';
import type { Secrets } from '#src/platform/crypto/secrets';

const PURPOSE = 'audit trail';

/** The key that proves the entries of this instance, and its id. */
export interface AuditMacKey {
  id: string;
  key: Buffer;
}

type Open = Pick<Context, 'db' | 'clock' | 'secrets' | 'log'>;

/**
 * The newest key that this APP_SECRET opens. If there is none, one is made: after the loss of APP_SECRET the trail goes on,
 * and `audit verify` says which entries nobody can prove any more. Two nodes that make one at the same time both use
 * theirs. Keys that were encrypted under APP_SECRET_PREVIOUS are encrypted anew.
 */
export async function openAuditKey({ db, clock, secrets, log }: Open): Promise<AuditMacKey> {
  const rows = await db.AuditKey.findAll({ order: [['createdAt', 'DESC']] });
  let newest: AuditMacKey | undefined;
  for (const { id, sealedKey } of rows) {
    const opened = unsealed(secrets, { id, sealedKey });
    if (!opened) continue;
    newest ??= { id, key: opened.key };
    if (!opened.stale) continue;
    const again = secrets.seal(PURPOSE, opened.key.toString('base64url'));
    await db.AuditKey.update({ sealedKey: again }, { where: { id, sealedKey } });
  }
  if (newest) return newest;
  if (rows.length > 0)
    log.warn({}, 'no key of the audit trail opens with this APP_SECRET: a new one is made');
  const key = randomBytes(32);
  const sealedKey = secrets.seal(PURPOSE, key.toString('base64url'));
  await db.AuditKey.create({ id: idOf(key), sealedKey, createdAt: clock.date() });
  return { id: idOf(key), key };
}

/** Every key that this APP_SECRET opens, by id. */
export async function auditKeys({
  db,
  secrets,
}: Pick<Context, 'db' | 'secrets'>): Promise<Map<string, Buffer>> {
  const rows = await db.AuditKey.findAll();
  return new Map(
    rows.flatMap((row) => {
      const opened = unsealed(secrets, row);
      return opened ? [[row.id, opened.key]] : [];
    }),
  );
}

/** Of the key alone, so that a row cannot give the id of one key to another. */
const idOf = (key: Buffer): string =>
  createHmac('sha256', key).update('id').digest('hex').slice(0, 16);

function unsealed(secrets: Secrets, { id, sealedKey }: Pick<AuditKey, 'id' | 'sealedKey'>) {
  const opened = secrets.unseal(PURPOSE, sealedKey);
  const key = Buffer.from(opened?.plain ?? '', 'base64url');
  return opened && idOf(key) === id ? { key, stale: opened.stale } : undefined;
}
