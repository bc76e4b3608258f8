import { lifetimes } from '#src/lifetimes';
import { bytesOf, requireModel, withoutStatement } from '#src/passkeys/attestation';
import type {
  AssertedCredential,
  CreationOptions,
  RegisteredCredential,
  RequestOptions,
} from '#src/platform/http/webauthn-json';
import type { Settings } from '#src/platform/settings/settings';

/** COSE: Ed25519, ES256 and RS256. Every authenticator has one of them. */
const ALGORITHMS = [-8, -7, -257];
const timeout = lifetimes.passkeyChallengeSeconds * 1000;

type Site = Pick<Settings, 'passkeyRpId' | 'passkeyOrigins' | 'passkeyAaguids'>;

/** What an authenticator said of a new credential, and has proved. Whoever made `aaguid` up is believed, too. */
export interface NewCredential {
  credentialId: string;
  publicKey: string;
  counter: number;
  transports: string[];
  deviceType: string;
  backedUp: boolean;
  aaguid: string;
}

/** What it said when it signed. */
export type Seen = Pick<NewCredential, 'counter' | 'deviceType' | 'backedUp'>;

/** The answer of an authenticator is not what was asked for. The message is for the log. */
export class NotVerified extends Error {}

/** How a credential is named to a browser. */
export interface KnownCredential {
  credentialId: string;
  transports: string;
}

/** The user handle of a credential: bytes that name its owner to this server, and nobody to others. */
export const userHandleOf = (userId: string): string => Buffer.from(userId).toString('base64url');

const descriptorsOf = (known: readonly KnownCredential[]) =>
  known.map(({ credentialId: id, transports }) => ({
    id,
    type: 'public-key' as const,
    transports: transports.split(' ').filter(Boolean),
  }));

/**
 * For `navigator.credentials.create()`. The credential can be found without a name, and its authenticator verifies its
 * user. An attestation is asked for only where models are listed: see `requireModel`.
 */
export const creationOptions = (
  { passkeyRpId, passkeyAaguids }: Site,
  challenge: string,
  user: { id: string; name: string; displayName: string },
  known: readonly KnownCredential[],
): CreationOptions => ({
  rp: { id: passkeyRpId!, name: passkeyRpId! },
  user: { ...user, id: userHandleOf(user.id) },
  challenge,
  pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
  timeout,
  excludeCredentials: descriptorsOf(known),
  authenticatorSelection: {
    residentKey: 'required',
    requireResidentKey: true,
    userVerification: 'required',
  },
  attestation: passkeyAaguids.length > 0 ? 'direct' : 'none',
  extensions: { credProps: true },
});

/** For `navigator.credentials.get()`. Without `allowed`, any credential of this site may answer. */
export const requestOptions = (
  rpId: string,
  challenge: string,
  allowed?: readonly KnownCredential[],
): RequestOptions => ({
  rpId,
  challenge,
  timeout,
  userVerification: 'required',
  ...(allowed && { allowCredentials: descriptorsOf(allowed) }),
});

/** @throws {NotVerified} */
export async function verifyRegistered(
  site: Site,
  challenge: string,
  { id, rawId, type, response }: RegisteredCredential,
): Promise<NewCredential> {
  const { verifyRegistrationResponse } = await import('@simplewebauthn/server');
  return refusing(async () => {
    const { registrationInfo } = await verifyRegistrationResponse({
      ...expected(site, challenge, response.clientDataJSON),
      response: {
        id,
        rawId,
        type,
        response: {
          clientDataJSON: response.clientDataJSON,
          attestationObject: await withoutStatement(response.attestationObject),
        },
        clientExtensionResults: {},
      },
      requireUserVerification: true,
      supportedAlgorithmIDs: ALGORITHMS,
    });
    const { id: credentialId, publicKey, counter } = registrationInfo!.credential;
    if (credentialId !== id) throw new Error('The credential has two ids');
    await requireModel(site.passkeyAaguids, registrationInfo!.aaguid, response.attestationObject);
    return {
      credentialId,
      publicKey: Buffer.from(publicKey).toString('base64url'),
      counter,
      transports: transportsIn(response.transports ?? []),
      deviceType: registrationInfo!.credentialDeviceType,
      backedUp: registrationInfo!.credentialBackedUp,
      aaguid: registrationInfo!.aaguid,
    };
  });
}

/**
 * Checks what a credential signed. It does not compare the counter: only the owner of a genuine signature may set off an
 * alarm.
 * @throws {NotVerified}
 */
export async function verifyAsserted(
  site: Site,
  challenge: string,
  { id, rawId, type, response }: AssertedCredential,
  publicKey: string,
): Promise<Seen> {
  const { verifyAuthenticationResponse } = await import('@simplewebauthn/server');
  return refusing(async () => {
    const { clientDataJSON, authenticatorData, signature } = response;
    const signed = { clientDataJSON, authenticatorData, signature };
    const { verified, authenticationInfo: seen } = await verifyAuthenticationResponse({
      ...expected(site, challenge, clientDataJSON),
      response: { id, rawId, type, response: signed, clientExtensionResults: {} },
      credential: { id, publicKey: bytesOf(publicKey), counter: NO_COUNTER },
      requireUserVerification: true,
    });
    if (!verified) throw new Error('The signature is not valid');
    return {
      counter: seen.newCounter,
      deviceType: seen.credentialDeviceType,
      backedUp: seen.credentialBackedUp,
    };
  });
}

/** Less than any counter: the library then compares none. */
const NO_COUNTER = -1;

function expected({ passkeyRpId, passkeyOrigins }: Site, challenge: string, clientData: string) {
  const { crossOrigin } = JSON.parse(Buffer.from(clientData, 'base64url').toString()) as {
    crossOrigin?: unknown;
  };
  if (crossOrigin) throw new Error('It was made in a frame of another site');
  return {
    expectedChallenge: challenge,
    expectedOrigin: [...passkeyOrigins],
    expectedRPID: passkeyRpId!,
  };
}

/** Whatever the library throws is about what the client sent. */
async function refusing<T>(verify: () => Promise<T>): Promise<T> {
  try {
    return await verify();
  } catch (cause) {
    throw new NotVerified('A passkey was refused', { cause });
  }
}

/** Names as WebAuthn writes them, also new ones. They only help a browser to find the authenticator again. */
const transportsIn = (given: readonly string[]): string[] =>
  [...new Set(given)].filter((each) => /^[a-z-]{1,16}$/.test(each)).slice(0, 8);
