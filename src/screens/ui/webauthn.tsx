import {
  browserSupportsWebAuthn,
  startAuthentication,
  startRegistration,
} from '@simplewebauthn/browser';
import type {
  AssertedCredential,
  NewPasskeyOptions,
  RegisteredCredential,
  SecondFactorOptions,
} from '#src/client/index';

export const hasPasskeys = (): boolean => browserSupportsWebAuthn();

/** Null if the user gives up, or has no passkey here. */
export async function askPasskey(options: SecondFactorOptions): Promise<AssertedCredential | null> {
  try {
    const optionsJSON = options.publicKey as Parameters<
      typeof startAuthentication
    >[0]['optionsJSON'];
    return await startAuthentication({ optionsJSON });
  } catch {
    return null;
  }
}

/** `known`: this device has a passkey of the user. `given_up`: nothing was made. */
export async function makePasskey({
  publicKey,
}: NewPasskeyOptions): Promise<RegisteredCredential | 'known' | 'given_up'> {
  try {
    const optionsJSON = publicKey as Parameters<typeof startRegistration>[0]['optionsJSON'];
    return await startRegistration({ optionsJSON });
  } catch (error) {
    return error instanceof Error && error.name === 'InvalidStateError' ? 'known' : 'given_up';
  }
}
