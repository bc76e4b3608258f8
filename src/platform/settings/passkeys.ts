import { isIP } from 'node:net';
import { z } from 'zod';
import { list, service } from '#src/platform/settings/types';

// The settings of passkeys (WebAuthn), and of the documents that tie a domain to the apps of its owner.

const LABEL = '[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?';
const DOMAIN = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`);
/** SHA-1 or SHA-256 of the certificate that signs an Android app, in base64url. */
const ANDROID_ORIGIN = /^android:apk-key-hash(-sha256)?:[\w-]{27}([\w-]{16})?$/;
const ANDROID_APP = /^([a-z]\w*(?:\.\w+)+)=((?:[\da-f]{2}:){31}[\da-f]{2})$/i;
const APPLE_APP = /^[A-Z0-9]{10}\.[\w-]+(\.[\w-]+)+$/;

const AAGUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const isLocalhost = (hostname: string) =>
  hostname === 'localhost' || hostname.endsWith('.localhost');

/** True for a domain, which is what a passkey belongs to. An IP address is none. */
const isDomain = (text: string) =>
  DOMAIN.test(text) && isIP(text) === 0 && (isLocalhost(text) || text.includes('.'));

/** True for an origin whose pages can use passkeys: browsers want https, or http on this machine, and a domain. */
function isWebOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { origin, protocol, hostname } = new URL(text);
  const isSecure = protocol === 'https:' || (protocol === 'http:' && isLocalhost(hostname));
  return origin === text && isSecure && isDomain(hostname);
}

const isBelow = (origin: string, rpId: string): boolean =>
  `.${new URL(origin).hostname}`.endsWith(`.${rpId}`);

export interface AndroidApp {
  readonly packageName: string;
  /** SHA-256 of the certificate that signs the app: `14:6D:…`. */
  readonly fingerprint: string;
}

/** `com.example.app=14:6D:E9:…`, comma-separated. */
const androidApps = list.transform((given, context): readonly AndroidApp[] =>
  given.map((each) => {
    const [, packageName, fingerprint] = ANDROID_APP.exec(each) ?? [];
    if (packageName && fingerprint) return { packageName, fingerprint: fingerprint.toUpperCase() };
    context.addIssue({
      code: 'custom',
      message:
        'must be a comma-separated list of apps, each with the SHA-256 fingerprint of its certificate: com.example.app=14:6D:E9:…',
    });
    return z.NEVER;
  }),
);

const page = z
  .string()
  .refine(
    service,
    'must be https://…, or http:// on a loopback address, without user, query or fragment',
  );

export const passkeySettings = {
  PASSKEY_RP_ID: z
    .string()
    .refine(
      (text) => text === 'none' || isDomain(text),
      'must be a domain such as example.com, or none',
    )
    .optional()
    .describe(
      'The domain that passkeys belong to: that of your pages, or one above it. Another one later makes all passkeys useless. `none` switches passkeys off. Default: the domain of PUBLIC_URL, if that is https or localhost.',
    ),
  PASSKEY_ORIGINS: list
    .refine(
      (origins) => origins.every((each) => isWebOrigin(each) || ANDROID_ORIGIN.test(each)),
      'must be a comma-separated list of origins such as https://app.example.com, http://localhost:5173 or android:apk-key-hash:…, without a path or a slash at the end',
    )
    .optional()
    .describe(
      'Where passkeys may be used, comma-separated and exact: https://app.example.com, or android:apk-key-hash:… of an app. Default: PUBLIC_URL and ALLOWED_ORIGINS, as far as they are at PASSKEY_RP_ID or below it, and PASSKEY_ANDROID_APPS.',
    ),
  PASSKEY_AAGUIDS: list
    .transform((given) => given.map((each) => each.toLowerCase()))
    .refine(
      (given) => given.every((each) => AAGUID.test(each)),
      'must be a comma-separated list of AAGUIDs such as cb69481e-8ff7-4039-93ec-0a2729a154a8',
    )
    .default([])
    .describe(
      'Models of authenticators that may make a passkey, by AAGUID, comma-separated, for those who hand out security keys. Their attestation is asked for, and a passkey without one is refused, as those of most phones and password managers are. No certificate is verified: this keeps out mistakes, not forgers. Default: every model.',
    ),
  PASSKEY_ANDROID_APPS: androidApps
    .default([])
    .describe(
      'Android apps that share passkeys with your pages, each with the SHA-256 fingerprint of its certificate: com.example.app=14:6D:E9:…. Served as /.well-known/assetlinks.json.',
    ),
  PASSKEY_APPLE_APPS: list
    .refine(
      (apps) => apps.every((each) => APPLE_APP.test(each)),
      'must be a comma-separated list of team and bundle identifiers such as A1B2C3D4E5.com.example.app',
    )
    .default([])
    .describe(
      'Apps for iOS and macOS that share passkeys with your pages: A1B2C3D4E5.com.example.app. Served as /.well-known/apple-app-site-association.',
    ),
  PASSKEY_ENROLL_URL: page
    .optional()
    .describe(
      'Your page where somebody makes a passkey. Served as /.well-known/passkey-endpoints, where password managers look for it.',
    ),
  PASSKEY_MANAGE_URL: page
    .optional()
    .describe('Your page where somebody sees and removes their passkeys. Served there, too.'),
  CHANGE_PASSWORD_URL: page
    .optional()
    .describe(
      'Your page where somebody changes their password. /.well-known/change-password leads there, and without it to /account/security of this server, if HOSTED_PAGES has account.',
    ),
};

interface Given {
  PUBLIC_URL?: string | undefined;
  PASSKEY_RP_ID?: string | undefined;
  PASSKEY_ORIGINS?: readonly string[] | undefined;
  PASSKEY_ANDROID_APPS: readonly AndroidApp[];
}

/** The origin of an Android app (https://developer.android.com/identity/sign-in/credential-manager). */
const originOf = ({ fingerprint }: AndroidApp) =>
  `android:apk-key-hash:${Buffer.from(fingerprint.replaceAll(':', ''), 'hex').toString('base64url')}`;

/** The domain of the passkeys, and where they may be used. Without a domain they are off. */
export function passkeysInForce(
  given: Given,
  publicUrl: string,
  allowedOrigins: readonly string[],
): { passkeyRpId: string | undefined; passkeyOrigins: readonly string[] } {
  const { origin, hostname } = new URL(publicUrl);
  const rpId = given.PASSKEY_RP_ID ?? (isWebOrigin(origin) ? hostname : 'none');
  if (rpId === 'none') return { passkeyRpId: undefined, passkeyOrigins: [] };
  const usual = [origin, ...allowedOrigins].filter(
    (each) => isWebOrigin(each) && isBelow(each, rpId),
  );
  const apps = given.PASSKEY_ANDROID_APPS.map(originOf);
  return {
    passkeyRpId: rpId,
    passkeyOrigins: [...new Set([...(given.PASSKEY_ORIGINS ?? usual), ...apps])],
  };
}

/** Origins of other domains, whose browsers ask the domain of the passkeys for its list (WebAuthn Level 3, §5.11). */
export const relatedOrigins = (rpId: string, origins: readonly string[]): readonly string[] =>
  origins.filter((each) => isWebOrigin(each) && !isBelow(each, rpId));

/** See `contradictions`. */
export function passkeyContradictions(given: Given, allowedOrigins: readonly string[]) {
  const publicUrl = given.PUBLIC_URL ?? 'http://localhost';
  const { passkeyRpId, passkeyOrigins } = passkeysInForce(given, publicUrl, allowedOrigins);
  const isUsed = given.PASSKEY_ORIGINS !== undefined || given.PASSKEY_ANDROID_APPS.length > 0;
  return [
    passkeyRpId === undefined &&
      isUsed &&
      'PASSKEY_ORIGINS and PASSKEY_ANDROID_APPS are for passkeys, which are off: PASSKEY_RP_ID must be a domain',
    passkeyRpId !== undefined &&
      passkeyOrigins.length === 0 &&
      'PASSKEY_RP_ID is neither the domain of PUBLIC_URL nor one above it: name the origins of your pages in PASSKEY_ORIGINS',
  ];
}
