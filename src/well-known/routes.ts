import { z } from 'zod';
import type { Context } from '#src/context';
import { get, type Route } from '#src/platform/http/route';
import { hasScreen } from '#src/platform/http/screens';
import type { Settings } from '#src/platform/settings/settings';
import { relatedOrigins, type AndroidApp } from '#src/platform/settings/passkeys';

const tag = 'Operations';

const RelatedOrigins = z.object({ origins: z.array(z.string()) }).meta({ id: 'RelatedOrigins' });

const AppleAppSiteAssociation = z
  .object({ webcredentials: z.object({ apps: z.array(z.string()) }) })
  .meta({ id: 'AppleAppSiteAssociation' });

const AssetLinks = z
  .array(
    z.object({
      relation: z.array(z.string()),
      target: z.object({
        namespace: z.literal('android_app'),
        package_name: z.string(),
        sha256_cert_fingerprints: z.array(z.string()),
      }),
    }),
  )
  .meta({ id: 'AssetLinks' });

const PasskeyEndpoints = z
  .object({ enroll: z.string().optional(), manage: z.string().optional() })
  .meta({ id: 'PasskeyEndpoints' });

/**
 * Documents that browsers, phones and password managers look for at the root of a domain. Each is there if its setting is:
 * an app that embeds this server may have its own.
 */
export const wellKnownRoutes = (ctx: Context): Route[] => [
  ...passkeyEndpoints(ctx),
  ...webauthn(ctx),
  ...appleApps(ctx),
  ...androidApps(ctx),
  ...changePassword(ctx),
];

function passkeyEndpoints({ settings }: Context): Route[] {
  const { passkeyRpId, passkeyEnrollUrl: enroll, passkeyManageUrl: manage } = settings;
  if (passkeyRpId === undefined) return [];
  const route = get(
    '/.well-known/passkey-endpoints',
    [],
    {
      operationId: 'getPasskeyEndpoints',
      tag,
      summary: 'Get the pages where people make and manage passkeys',
      description:
        'For password managers (https://www.w3.org/TR/passkey-endpoints/). It says that there are passkeys, even if it is empty.',
      returns: PasskeyEndpoints,
    },
    () => ({ ...(enroll && { enroll }), ...(manage && { manage }) }),
  );
  return [route];
}

function webauthn({ settings: { passkeyRpId, passkeyOrigins } }: Context): Route[] {
  const related = passkeyRpId === undefined ? [] : relatedOrigins(passkeyRpId, passkeyOrigins);
  if (related.length === 0) return [];
  const route = get(
    '/.well-known/webauthn',
    [],
    {
      operationId: 'getRelatedOrigins',
      tag,
      summary: 'Get the origins of other domains that may use the passkeys of this one',
      description: 'For browsers (WebAuthn Level 3, §5.11).',
      returns: RelatedOrigins,
    },
    () => ({ origins: [...related] }),
  );
  return [route];
}

function appleApps({ settings: { passkeyAppleApps: apps } }: Context): Route[] {
  if (apps.length === 0) return [];
  const route = get(
    '/.well-known/apple-app-site-association',
    [],
    {
      operationId: 'getAppleAppSiteAssociation',
      tag,
      summary: 'Get the apps for iOS and macOS that share passkeys with this domain',
      returns: AppleAppSiteAssociation,
    },
    () => ({ webcredentials: { apps: [...apps] } }),
  );
  return [route];
}

/** Android asks for both of them (https://developer.android.com/identity/credential-manager/prerequisites). */
const RELATION = [
  'delegate_permission/common.handle_all_urls',
  'delegate_permission/common.get_login_creds',
];

function androidApps({ settings: { passkeyAndroidApps: apps } }: Context): Route[] {
  if (apps.length === 0) return [];
  const route = get(
    '/.well-known/assetlinks.json',
    [],
    {
      operationId: 'getAssetLinks',
      tag,
      summary: 'Get the Android apps that share passkeys with this domain',
      returns: AssetLinks,
    },
    () => [...Map.groupBy(apps, ({ packageName }) => packageName)].map(linkTo),
  );
  return [route];
}

const linkTo = ([packageName, apps]: [string, AndroidApp[]]) => ({
  relation: RELATION,
  target: {
    namespace: 'android_app' as const,
    package_name: packageName,
    sha256_cert_fingerprints: apps.map(({ fingerprint }) => fingerprint),
  },
});

function changePassword({ settings }: Context): Route[] {
  const page = settings.changePasswordUrl ?? ownPage(settings);
  if (page === undefined) return [];
  const route = get(
    '/.well-known/change-password',
    [],
    {
      operationId: 'getChangePasswordPage',
      tag,
      summary: 'Go to the page where people change their password',
      description:
        'For password managers (https://www.w3.org/TR/change-password-url/). Leads to CHANGE_PASSWORD_URL, or to the account page of this server.',
      status: 302,
    },
    (_req, res) => {
      res.setHeader('Location', page);
    },
  );
  return [route];
}

/** Of the account page, where it is on. */
const ownPage = (settings: Settings): string | undefined =>
  hasScreen(settings, 'account') ? `${settings.publicUrl}/account/security` : undefined;
