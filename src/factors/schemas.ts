import { z } from 'zod';
import type { Factor, Passkey } from '#models/index';
import { TotpCode } from '#src/factors/totp';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';

export const FactorName = PlainText.max(64).meta({ example: 'my phone' });

const fields = {
  id: z.uuid(),
  kind: z
    .string()
    .meta({ example: 'totp', description: '`totp`: an authenticator app. `passkey`: a passkey.' }),
  name: z.string(),
  createdAt: Time,
  lastUsedAt: Time.nullable(),
  deviceType: z.enum(['singleDevice', 'multiDevice']).nullable().meta({
    description:
      'Of a passkey: `multiDevice` can be copied to other devices of its owner, `singleDevice` is lost with its device. Null for other kinds, and for one from another system that was not used here yet.',
  }),
  backedUp: z.boolean().nullable().meta({
    description: 'Of a passkey: whether it had been copied when it was last used.',
  }),
};
const Codes = z.array(z.string()).meta({
  description: 'Ten codes, each good once. Shown this once.',
  example: ['J3TN-0Q8W-XK5M-7ZBD'],
});

/** A factor as its owner sees it. */
export const ListedFactor = z.object(fields).meta({ id: 'Factor' });

/** A page of them. */
export const FactorPage = z
  .object({
    data: z.array(ListedFactor),
    nextCursor: z.string().nullable().meta({
      description: 'Send it as `cursor` to get the next page. Null on the last page.',
    }),
    recoveryCodesLeft: z.int(),
  })
  .meta({ id: 'FactorPage' });

export const FactorChanges = z.strictObject({ name: FactorName }).meta({ id: 'FactorChanges' });

export const NewTotpFactor = z
  .strictObject({ name: FactorName.optional() })
  .meta({ id: 'NewTotpFactor' });

export const PendingTotpFactor = z
  .object({
    id: z.uuid(),
    secret: z.string().meta({ description: 'Base 32, for who cannot scan. Shown this once.' }),
    uri: z.string().meta({ description: 'The same for apps: `otpauth://totp/…`' }),
    qr: z.string().meta({ description: 'The URI as a QR code: an SVG image.' }),
  })
  .meta({ id: 'PendingTotpFactor' });

export const TotpConfirmation = z.strictObject({ code: TotpCode }).meta({ id: 'TotpConfirmation' });

export const ConfirmedFactor = z
  .object({
    ...fields,
    recoveryCodes: Codes.nullable().meta({ description: 'With the first factor. Else null.' }),
  })
  .meta({ id: 'ConfirmedFactor' });

export const RecoveryCodes = z.object({ recoveryCodes: Codes }).meta({ id: 'RecoveryCodes' });

export const listedFactor = (factor: Factor): z.input<typeof ListedFactor> => ({
  id: factor.id,
  kind: factor.kind,
  name: factor.name,
  createdAt: factor.createdAt,
  lastUsedAt: factor.lastUsedAt ?? null,
  ...stateOf(factor.passkey),
});

function stateOf(passkey: Passkey | null | undefined) {
  const { data: deviceType } = fields.deviceType.safeParse(passkey?.deviceType);
  return deviceType
    ? { deviceType, backedUp: passkey!.backedUp }
    : { deviceType: null, backedUp: null };
}
