import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import type { Factor, User } from '#models/index';
import type { Context } from '#src/context';
import { addFactor, changeFactors } from '#src/factors/own-factors';
import { issueChallenge, spendChallenge } from '#src/passkeys/challenge';
import { nameOf } from '#src/passkeys/names';
import { digestOf, passkeysOf } from '#src/passkeys/use';
import {
  creationOptions,
  NotVerified,
  verifyRegistered,
  type NewCredential,
} from '#src/passkeys/webauthn';
import { Problem } from '#src/platform/http/problem';
import type { CreationOptions, RegisteredCredential } from '#src/platform/http/webauthn-json';
import { proveAgain } from '#src/sessions/reauthenticate';
import type { Principal } from '#src/users/principal';

/** What a browser or phone needs to make a passkey. Authenticators that have one of this user make no second one. */
export async function passkeyOptions(
  ctx: Context,
  { id, username, email, name }: Principal,
): Promise<{ challengeToken: string; publicKey: CreationOptions }> {
  const { challengeToken, challenge } = issueChallenge(ctx, 'passkey registration', id);
  const shown = username ?? email ?? name ?? id;
  const user = { id, name: shown, displayName: name ?? shown };
  const known = await passkeysOf(ctx, id);
  const publicKey = creationOptions(ctx.settings, challenge, user, known);
  return { challengeToken, publicKey };
}

interface SignedRegistration {
  challengeToken: string;
  credential: RegisteredCredential;
  name?: string | undefined;
}

/**
 * Adds a passkey. The challenge is spent, whatever comes of it. The session is `aal2`: whoever enrolled it goes on. Answers
 * ten recovery codes with the first factor of the user, else null.
 * @throws {Problem} 400 `passkey_refused`; 401 `session_ended`; 409 `conflict` for a credential that somebody has, or if the
 * user has too many factors
 */
export async function addPasskey(
  ctx: Context,
  principal: Principal,
  { challengeToken, credential, name }: SignedRegistration,
): Promise<{ factor: Factor; recoveryCodes: string[] | null }> {
  const { id } = principal;
  const challenge = await spendChallenge(ctx, 'passkey registration', challengeToken, id);
  if (challenge === null) throw new Problem('passkey_refused');
  const made = await verify(ctx, challenge, credential);
  try {
    return await changeFactors(ctx, principal, async (user, notify) => {
      const factor = await createPasskey(ctx, user, name, made);
      const recoveryCodes = await addFactor(ctx, user, factor, notify);
      await proveAgain(ctx, principal, ['hwk', 'user', 'mfa']);
      return { factor, recoveryCodes };
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem('conflict', { cause: error });
  }
}

async function verify(ctx: Context, challenge: string, credential: RegisteredCredential) {
  try {
    return await verifyRegistered(ctx.settings, challenge, credential);
  } catch (error) {
    if (error instanceof NotVerified) throw new Problem('passkey_refused', { cause: error });
    throw error;
  }
}

/** @throws {UniqueConstraintError} if somebody has this credential */
async function createPasskey(
  { db, clock }: Context,
  { id: userId }: User,
  name: string | undefined,
  { transports, ...made }: NewCredential,
): Promise<Factor> {
  const now = clock.date();
  const factor = await db.Factor.create({
    id: uuid(),
    userId,
    kind: 'passkey',
    name: name ?? nameOf(made.aaguid, transports),
    confirmedAt: now,
    createdAt: now,
  });
  factor.passkey = await db.Passkey.create({
    ...made,
    factorId: factor.id,
    digest: digestOf(made.credentialId),
    transports: transports.join(' '),
  });
  return factor;
}
