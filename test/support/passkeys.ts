import { expect } from 'vitest';
import { startApp } from '#test/support/app';
import {
  createAuthenticator,
  type AuthenticatorOptions,
  type Lies,
} from '#test/support/authenticator';

export const ORIGIN = 'https://app.example.com';
export const RP_ID = 'example.com';
const OPTIONS = '/me/factors/passkeys/options';

type Authenticator = ReturnType<typeof createAuthenticator>;

/** A server with passkeys for `https://app.example.com`, and people who have one. */
export async function startPasskeys(env: Record<string, string> = {}) {
  const app = await startApp({ PASSKEY_RP_ID: RP_ID, PASSKEY_ORIGINS: ORIGIN, ...env });
  const { ask, register } = app;
  type Person = Awaited<ReturnType<typeof register>>;

  const optionsOf = async (person: Person) => {
    const { status, body, text } = await person.ask('POST', OPTIONS);
    expect(status, text).toBe(200);
    return body;
  };
  /** The answer to a registration. */
  async function enrol(
    person: Person,
    authenticator: Authenticator,
    { name, ...lies }: Lies & { name?: string } = {},
  ) {
    const { challengeToken, publicKey } = await optionsOf(person);
    const credential = authenticator.register(publicKey, lies);
    return person.ask('POST', '/me/factors/passkeys', {
      body: { challengeToken, credential, ...(name && { name }) },
    });
  }
  const newAuthenticator = (options: Partial<AuthenticatorOptions> = {}) =>
    createAuthenticator({ origin: ORIGIN, ...options });
  /** The answer to a proof that somebody is still there. It makes their session `aal2`. */
  async function proveAgain(person: Person, authenticator: Authenticator, lies: Lies = {}) {
    const { status, body, text } = await person.ask('POST', '/auth/reauthenticate/options');
    expect(status, text).toBe(200);
    const credential = authenticator.sign(body.publicKey, lies);
    return person.ask('POST', '/auth/reauthenticate', { body: { credential } });
  }
  /** Somebody with a passkey, in a session that has proved it. */
  async function owner(options: Partial<AuthenticatorOptions> = {}, fields: object = {}) {
    const person = await register(fields);
    const authenticator = newAuthenticator(options);
    const { status, body, text } = await enrol(person, authenticator);
    expect(status, text).toBe(201);
    const proven = await proveAgain(person, authenticator);
    expect(proven.status, proven.text).toBe(204);
    return {
      ...person,
      authenticator,
      factorId: body.id as string,
      recoveryCodes: body.recoveryCodes as string[],
    };
  }
  const challenge = async () => {
    const { status, body, text } = await ask('POST', '/auth/passkey/options', { body: {} });
    expect(status, text).toBe(200);
    return body;
  };
  /** The answer to a sign-in. */
  async function signIn(authenticator: Authenticator, lies: Lies = {}) {
    const { challengeToken, publicKey } = await challenge();
    const credential = authenticator.sign(publicKey, lies);
    return ask('POST', '/auth/passkey', { body: { challengeToken, credential } });
  }
  return { ...app, optionsOf, enrol, newAuthenticator, owner, proveAgain, challenge, signIn };
}
