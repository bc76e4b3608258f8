import { z } from 'zod';
import { FactorName } from '#src/factors/schemas';
import { PROFILE } from '#src/factors/totp';
import { digestOf } from '#src/passkeys/use';
import { isPublicKey } from '#src/passkeys/public-key';

/** RFC 3339. */
export const Moment = z.iso.datetime({ offset: true }).transform((text) => new Date(text));

/** At least 80 bits, as in the oldest authenticator apps. RFC 4226 asks for 128. */
const Base32 = z
  .string()
  .max(1024)
  .transform((text) => text.replaceAll(/[\s=-]/g, '').toUpperCase())
  .pipe(z.string().regex(/^[A-Z2-7]{16,512}$/, 'A secret is base 32, with 16 characters or more'));
const Base64Url = (max: number) =>
  z.string().max(max).regex(/^[\w-]+$/, 'Base64url, please'); // prettier-ignore

const common = {
  name: FactorName.nullish(),
  createdAt: Moment.nullish(),
  lastUsedAt: Moment.nullish(),
};

/** An authenticator app. Without a secret it is only said that there was one. */
const TotpLine = z.strictObject({
  kind: z.literal('totp'),
  secret: Base32.nullish(),
  algorithm: z.string().max(16).nullish(),
  digits: z.int().nullish(),
  period: z.number().nullish(),
  ...common,
});

/** `deviceType`, `backedUp`: unknown if missing. `rpId`: the domain of the passkey, this one if missing. */
const PasskeyLine = z.strictObject({
  kind: z.literal('passkey'),
  rpId: z.string().max(253).nullish(),
  credentialId: Base64Url(1364),
  publicKey: Base64Url(2048),
  counter: z.int().min(0).max(0xffffffff).nullish(),
  transports: z.array(z.string().regex(/^[a-z-]{1,16}$/)).max(8).nullish(), // prettier-ignore
  deviceType: z.enum(['singleDevice', 'multiDevice']).nullish(),
  backedUp: z.boolean().nullish(),
  aaguid: z.uuid().toLowerCase().nullish(),
  ...common,
});

/** What this server has no use for, so that a report can say who had it. */
const OTHERS = {
  hotp: 'HOTP',
  email: 'codes by mail',
  phone: 'codes by phone',
  push: 'an app that is asked by push',
  recovery_code: 'recovery codes',
  other: 'a kind that is not known here',
} as const;
const OtherLine = z.strictObject({ kind: z.enum(Object.keys(OTHERS) as (keyof typeof OTHERS)[]) });

const anyLine = z.discriminatedUnion('kind', [TotpLine, PasskeyLine, OtherLine], {
  error: `A factor has a kind: totp, passkey, ${Object.keys(OTHERS).join(', ')}`,
});

/** An authenticator app by the URI of its QR code (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). */
const UriLine = z
  .strictObject({ kind: z.literal('totp').optional(), uri: z.string().max(4096), ...common })
  .transform(({ uri, ...rest }, context) => {
    const found = partsOf(uri);
    if (found) return { ...rest, ...found };
    context.addIssue({ code: 'custom', message: 'A uri begins with otpauth://totp/' });
    return z.NEVER;
  });

/** A second factor of a user in a file. */
export const FactorLine = z.unknown().transform((given, context) => {
  const isUri = typeof given === 'object' && given !== null && 'uri' in given;
  const uri = isUri ? UriLine.safeParse(given) : undefined;
  const parsed = uri && !uri.success ? uri : anyLine.safeParse(uri ? uri.data : given);
  if (parsed.success) return parsed.data;
  const { code, message } = parsed.error.issues[0]!;
  const isKey = code === 'unrecognized_keys'; // its message would repeat the key
  context.addIssue({ code: 'custom', message: isKey ? 'a key is not known here' : message });
  return z.NEVER;
});
export type FactorLine = z.output<typeof anyLine>;

/** The members of a line of the kind `totp` or `hotp`. */
function partsOf(uri: string): Record<string, unknown> | undefined {
  if (!URL.canParse(uri)) return undefined;
  const { protocol, host, searchParams } = new URL(uri);
  const get = (name: string) => searchParams.get(name) ?? undefined;
  if (protocol !== 'otpauth:') return undefined;
  if (host.toLowerCase() === 'hotp') return { kind: 'hotp' };
  const secret = get('secret');
  if (host.toLowerCase() !== 'totp' || secret === undefined) return undefined;
  const number = (text: string | undefined) => (text === undefined ? undefined : Number(text));
  const [digits, period] = [number(get('digits')), number(get('period'))];
  return { kind: 'totp', secret, algorithm: get('algorithm'), digits, period };
}

/** Why a factor is of no use here, in words for the report. Undefined if it can be used. `rpId`: of the passkeys here. */
export function whyNotCarried(line: FactorLine, rpId: string | undefined): string | undefined {
  if (line.kind === 'passkey') {
    if (rpId === undefined) return 'a passkey: they are off here';
    return (line.rpId ?? rpId) === rpId ? undefined : 'a passkey of another domain';
  }
  if (line.kind !== 'totp') return OTHERS[line.kind];
  const { secret, algorithm, digits, period } = line;
  const hash = (algorithm || PROFILE.algorithm).toUpperCase().replace(/^HMAC/, '').replace('-', '');
  if (hash !== PROFILE.algorithm)
    return `TOTP by ${/^SHA(256|512)$/.test(hash) ? hash : 'another hash'}`;
  if ((digits || PROFILE.digits) !== PROFILE.digits) return `TOTP of ${digits} digits`;
  if ((period || PROFILE.period) !== PROFILE.period) return `TOTP of ${period} seconds`;
  return secret ? undefined : 'TOTP: its secret is not in the file';
}

/** A sentence if one of these factors is broken, or if a passkey stands there twice. */
export async function faultOf(factors: readonly FactorLine[]): Promise<string | undefined> {
  const passkeys = factors.filter((each) => each.kind === 'passkey');
  for (const { publicKey } of passkeys)
    if (!(await isPublicKey(publicKey))) return 'its factors: a publicKey is a COSE key';
  const isTwice = new Set(digestsOf(factors)).size < passkeys.length;
  return isTwice ? 'its factors: a passkey stands there twice' : undefined;
}

/** How the passkeys among these factors are found in the database. */
export const digestsOf = (factors: readonly FactorLine[]): string[] =>
  factors.flatMap((each) => (each.kind === 'passkey' ? [digestOf(each.credentialId)] : []));
