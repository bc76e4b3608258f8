import { signIn, type SignedIn } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { spendAuthorizationCode } from '#src/federation/authorization-code';
import { noteSession, type CodeClient } from '#src/federation/spent-code';
import type { Device } from '#src/sessions/device';

/**
 * Signs in whoever a code is for. If the code comes again, the session ends. A sign-in that waits for its second factor is
 * not one of these: nobody has tokens of it.
 * @throws {Problem} 400 `invalid_code`, and what `signIn` throws
 */
export async function redeemAuthorizationCode(
  ctx: Context,
  code: string,
  codeVerifier: string,
  device: Device,
  client?: CodeClient,
): Promise<SignedIn> {
  const spent = await spendAuthorizationCode(ctx, code, codeVerifier, client);
  const { digest, proof, method, identity } = spent;
  const signedIn = await signIn(ctx, identity, device, method);
  await noteSession(ctx, digest, proof, signedIn.session);
  return signedIn;
}
