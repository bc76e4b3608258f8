import {
  base32,
  label,
  moment,
  object,
  text,
  type Line,
  type Row,
} from '#src/import-export/sources/source';

/**
 * A second factor of a user of Keycloak. Their WebAuthn user handle is the id of the user, as it is here.
 * https://github.com/keycloak/keycloak, package org.keycloak.models.credential.
 */
export function keycloakFactor(credential: Row): Line[] {
  const common = {
    ...label(credential['userLabel'] ?? credential['device']),
    createdAt: moment(credential['createdDate']),
  };
  switch (credential['type']) {
    case 'otp':
    case 'totp': // until version 7
    case 'hotp':
      return [otp(credential, common)];
    case 'webauthn':
    case 'webauthn-passwordless':
      return [webauthn(object(credential['credentialData']), common)];
    case 'recovery-authn-codes':
      return [{ kind: 'recovery_code' }];
    case 'password':
    case 'password-history':
      return [];
    default:
      return [{ kind: 'other' }];
  }
}

/** The secret is the text itself, byte for byte, unless it says that it is base 32. */
function otp(credential: Row, common: Line): Line {
  const data = object(credential['credentialData']);
  if ((data['subType'] ?? credential['type']) === 'hotp') return { kind: 'hotp' };
  const stored = object(credential['secretData'])['value'] ?? credential['hashedSaltedValue'];
  const value = text(stored) ?? '';
  const isBase32 = /^base32$/i.test(text(data['secretEncoding']) ?? '');
  return {
    kind: 'totp',
    secret: isBase32 ? value : base32(Buffer.from(value)),
    algorithm: text(data['algorithm']) ?? text(credential['algorithm']),
    digits: data['digits'] ?? credential['digits'],
    period: data['period'] ?? credential['period'],
    ...common,
  };
}

const webauthn = (data: Row, common: Line): Line => ({
  kind: 'passkey',
  credentialId: urlSafe(data['credentialId']),
  publicKey: urlSafe(data['credentialPublicKey']),
  counter: data['counter'],
  transports: data['transports'],
  aaguid: data['aaguid'],
  ...common,
});

/** Base64 as base64url. */
const urlSafe = (value: unknown) =>
  text(value)?.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
