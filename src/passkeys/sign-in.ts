import type { User } from '#models/index';
import type { Context } from '#src/context';
import { alarm } from '#src/passkeys/alarm';
import { issueChallenge, spendChallenge } from '#src/passkeys/challenge';
import { CounterWentBack, findPasskey, provePasskey } from '#src/passkeys/use';
import { NotVerified, requestOptions } from '#src/passkeys/webauthn';
import { Problem } from '#src/platform/http/problem';
import type { AssertedCredential, RequestOptions } from '#src/platform/http/webauthn-json';
import { findWithRoles } from '#src/users/with-roles';

/** For a sign-in without a name: any passkey of this site may answer, so nothing is told about anybody. */
export function signInOptions(ctx: Context): {
  challengeToken: string;
  publicKey: RequestOptions;
} {
  const { challengeToken, challenge } = issueChallenge(ctx, 'passkey sign-in');
  return { challengeToken, publicKey: requestOptions(ctx.settings.passkeyRpId!, challenge) };
}

export interface SignedChallenge {
  challengeToken: string;
  credential: AssertedCredential;
}

/**
 * The owner of the passkey that signed this challenge, loaded with roles. The challenge is spent, whatever comes of it.
 * @throws {Problem} 401 `invalid_credentials`, with the reason for the log
 */
export async function userOfPasskey(
  ctx: Context,
  { challengeToken, credential }: SignedChallenge,
): Promise<User> {
  const challenge = await spendChallenge(ctx, 'passkey sign-in', challengeToken);
  if (challenge === null) throw refused('The challenge of a passkey was spent, or is not ours');
  const passkey = await findPasskey(ctx, credential.id);
  const user = passkey && (await findWithRoles(ctx.db, { id: passkey.factor!.userId }));
  if (!user || user.disabledAt) throw refused('The passkey is unknown, or its user is disabled');
  if (!credential.response.userHandle) throw refused('The passkey does not name its user');
  try {
    await provePasskey(ctx, passkey, credential, challenge);
  } catch (error) {
    if (error instanceof CounterWentBack) await alarm(ctx, passkey);
    throw error instanceof NotVerified
      ? new Problem('invalid_credentials', { cause: error })
      : error;
  }
  return user;
}

const refused = (why: string) =>
  new Problem('invalid_credentials', { cause: new NotVerified(why) });
