/**
 * The attestation object as if its authenticator had attested nothing. Some send a statement that was not asked for. The
 * library would follow its certificates to wherever they name a list of revoked ones.
 */
export async function withoutStatement(attestationObject: string): Promise<string> {
  const { decodeAttestationObject, isoCBOR } = await import('@simplewebauthn/server/helpers');
  const authData = decodeAttestationObject(bytesOf(attestationObject)).get('authData');
  const none = new Map<string, string | Uint8Array | Map<string, string>>([
    ['fmt', 'none'],
    ['attStmt', new Map<string, string>()],
    ['authData', authData],
  ]);
  return Buffer.from(isoCBOR.encode(none)).toString('base64url');
}

/**
 * Refuses an authenticator that is not of a listed model, or that attests nothing. An empty list is one of every model. What
 * is attested is not verified: whoever makes a passkey with software of their own can claim any model, and weakens
 * their own account only.
 * @throws {Error}
 */
export async function requireModel(
  listed: readonly string[],
  aaguid: string,
  attestationObject: string,
): Promise<void> {
  if (listed.length === 0) return;
  const { decodeAttestationObject } = await import('@simplewebauthn/server/helpers');
  const format = decodeAttestationObject(bytesOf(attestationObject)).get('fmt');
  if ((format as string) === 'none') throw new Error('The authenticator attests nothing');
  if (!listed.includes(aaguid)) throw new Error('The model of the authenticator is not listed');
}

export const bytesOf = (base64url: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Buffer.from(base64url, 'base64url'));
