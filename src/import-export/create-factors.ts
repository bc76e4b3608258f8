import { v7 as uuid } from 'uuid';
import type { Context } from '#src/context';
import { DEFAULT_NAME } from '#src/factors/enrol-totp';
import { currentStep, sealSecret } from '#src/factors/totp';
import type { FactorLine } from '#src/import-export/factor-line';
import type { UserLine } from '#src/import-export/user-file';
import { nameOf } from '#src/passkeys/names';
import { digestOf, UNKNOWN_DEVICE } from '#src/passkeys/use';

interface Owner {
  line: UserLine;
  userId: string;
}

/** Creates the second factors of new users. All of them can be used here: see `whyNotCarried`. */
export async function createFactors(ctx: Context, owners: readonly Owner[]): Promise<void> {
  const { db, clock } = ctx;
  const now = clock.date();
  const rows = owners.flatMap(({ line, userId }) =>
    (line.factors ?? []).map((each) => rowsOf(ctx, each, userId, now)),
  );
  await db.Factor.bulkCreate(rows.map(({ factor }) => factor));
  await db.Passkey.bulkCreate(rows.flatMap(({ passkey }) => passkey ?? []));
  await db.RecoveryCode.bulkCreate(
    owners.flatMap(({ line, userId }) =>
      [...new Set(line.recoveryCodeHashes)].map((digest) => ({
        id: uuid(),
        userId,
        digest,
        createdAt: now,
      })),
    ),
  );
}

function rowsOf(ctx: Context, line: FactorLine, userId: string, now: Date) {
  if (line.kind === 'totp')
    return {
      factor: {
        ...common(line, userId, now),
        name: line.name ?? DEFAULT_NAME,
        secret: sealSecret(ctx, line.secret!),
        // A code that somebody has used elsewhere a moment ago is spent here, too.
        lastStep: currentStep(ctx),
      },
    };
  if (line.kind !== 'passkey') throw new Error(`A factor of the kind ${line.kind} is of no use`);
  const { credentialId, publicKey, aaguid, transports } = line;
  const factor = common(line, userId, now);
  const model = aaguid ?? NO_MODEL;
  return {
    factor: { ...factor, name: line.name ?? nameOf(model, transports ?? []) },
    passkey: {
      factorId: factor.id,
      digest: digestOf(credentialId),
      credentialId,
      publicKey,
      counter: line.counter ?? 0,
      transports: (transports ?? []).join(' '),
      deviceType: line.deviceType ?? UNKNOWN_DEVICE,
      backedUp: line.backedUp ?? false,
      aaguid: model,
    },
  };
}

const NO_MODEL = '00000000-0000-0000-0000-000000000000';

interface Used {
  kind: string;
  createdAt?: Date | null | undefined;
  lastUsedAt?: Date | null | undefined;
}
const common = ({ kind, createdAt, lastUsedAt }: Used, userId: string, now: Date) => ({
  id: uuid(),
  userId,
  kind,
  confirmedAt: createdAt ?? now,
  lastUsedAt: lastUsedAt ?? null,
  createdAt: createdAt ?? now,
});
