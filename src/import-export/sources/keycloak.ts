import { keycloakFactor } from '#src/import-export/sources/keycloak-factors';
import {
  identity,
  moment,
  object,
  rows,
  text,
  type Row,
  type UserSource,
} from '#src/import-export/sources/source';

/** Roles that Keycloak gives to everybody, for its own use. */
const INTERNAL_ROLE = /^(default-roles-.+|offline_access|uma_authorization)$/;

/** A realm with its users: `kc.sh export --users same_file`, or the files of users of `--dir`. */
export const keycloak: UserSource = {
  summary: 'Keycloak: a realm that was exported with its users',
  paths: { object: ['$.users.*'], array: ['$.*.users.*'] },
  open: async () => (row) => {
    if (text(row['serviceAccountClientId'])) return 'it is a service account';
    const credentials = rows(row['credentials']);
    const hash = credentials
      .filter(({ type }) => type === 'password')
      .map(hashOf)
      .at(-1);
    const name = [text(row['firstName']), text(row['lastName'])].filter(Boolean).join(' ');
    const roles = Array.isArray(row['realmRoles']) ? row['realmRoles'].map(String) : undefined;
    const own = roles?.filter((each) => !INTERNAL_ROLE.test(each));
    return {
      id: row['id'],
      username: text(row['username']),
      email: text(row['email']),
      emailVerified: row['emailVerified'] === true,
      name: name || undefined,
      roles: own && own.length > 0 ? own : undefined,
      disabled: row['enabled'] === false,
      passwordHash: hash,
      createdAt: moment(row['createdTimestamp']),
      identities: rows(row['federatedIdentities']).flatMap(({ identityProvider, userId }) =>
        identity(identityProvider, userId),
      ),
      factors: credentials.flatMap(keycloakFactor),
    };
  },
};

/** Since version 4 both halves are JSON texts. Before, they were fields of the credential. */
function hashOf(credential: Row): string {
  const data = object(credential['credentialData']);
  const secret = object(credential['secretData']);
  const algorithm = text(data['algorithm']) ?? text(credential['algorithm']) ?? 'unknown';
  const iterations = data['hashIterations'] ?? credential['hashIterations'];
  const value = text(secret['value']) ?? text(credential['hashedSaltedValue']) ?? '';
  const salt = text(secret['salt']) ?? text(credential['salt']) ?? '';
  if (algorithm.startsWith('argon2')) return argon2Hash(data, iterations, salt, value);
  if (algorithm.startsWith('bcrypt')) return value;
  return `$${algorithm === 'pbkdf2' ? 'pbkdf2' : algorithm}$i=${String(iterations)}$${salt}$${value}`;
}

function argon2Hash(data: Row, passes: unknown, salt: string, value: string): string {
  const parameters = object(data['additionalParameters']);
  const one = (name: string, otherwise: string) => {
    const found = parameters[name];
    return String((Array.isArray(found) ? found[0] : found) ?? otherwise);
  };
  const version = one('version', '1.3') === '1.3' ? 19 : 16;
  const cost = `m=${one('memory', '7168')},t=${String(passes)},p=${one('parallelism', '1')}`;
  const plain = (base64: string) => base64.replace(/=+$/, '');
  return `$argon2${one('type', 'id')}$v=${version}$${cost}$${plain(salt)}$${plain(value)}`;
}
