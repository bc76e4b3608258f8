const [KEY_TYPE, ALGORITHM] = [1, 3]; // RFC 9052 §7.1

/** True for a COSE key in base64url, as far as it can be told before it has verified a signature. */
export async function isPublicKey(base64url: string): Promise<boolean> {
  const { decodeCredentialPublicKey } = await import('@simplewebauthn/server/helpers');
  try {
    const key: unknown = decodeCredentialPublicKey(
      new Uint8Array(Buffer.from(base64url, 'base64url')),
    );
    return (
      key instanceof Map && [KEY_TYPE, ALGORITHM].every((each) => Number.isInteger(key.get(each)))
    );
  } catch {
    return false;
  }
}
