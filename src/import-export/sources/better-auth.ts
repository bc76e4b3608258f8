import { EVERY_OBJECT, entriesOf, type Chunks } from '#src/import-export/entries';
import {
  identity,
  moment,
  object,
  text,
  yes,
  type Line,
  type Row,
  type UserSource,
} from '#src/import-export/sources/source';

interface Accounts {
  passwords: Map<string, string>;
  identities: Map<string, Line[]>;
}

/** Its tables `user` and `account`, as CSV or JSON. The second one has the passwords and provider accounts. */
export const betterAuth: UserSource = {
  summary: 'better-auth: its table user, and its table account by --with, as CSV or JSON',
  paths: EVERY_OBJECT,
  second: 'the table account',
  async open(second) {
    if (!second) throw new Error('Passwords stand in the table account: give its file by --with.');
    const { passwords, identities } = await readAccounts(second);
    return (row) => {
      const id = text(row['id']) ?? '';
      const roles = text(row['role'])
        ?.split(',')
        .map((role) => role.trim());
      return {
        id: UUID.test(id) ? id : undefined,
        username:
          text(row['displayUsername']) ?? text(row['display_username']) ?? text(row['username']),
        email: text(row['email']),
        emailVerified: yes(row['emailVerified'] ?? row['email_verified']),
        name: text(row['name']),
        roles: roles && [...new Set([...roles, 'user'])],
        disabled: yes(row['banned']),
        passwordHash: passwords.get(id),
        createdAt: moment(row['createdAt'] ?? row['created_at']),
        identities: identities.get(id),
        // Its secrets stand in a third table, encrypted.
        factors: yes(row['twoFactorEnabled'] ?? row['two_factor_enabled'])
          ? [{ kind: 'totp' }]
          : undefined,
      };
    };
  },
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

async function readAccounts(file: Chunks): Promise<Accounts> {
  const accounts: Accounts = { passwords: new Map(), identities: new Map() };
  for await (const { value } of entriesOf(file, EVERY_OBJECT)) {
    const { user, provider, account, password } = accountOf(object(value));
    if (!user || !provider)
      throw new Error(
        'The file after --with is not the table account: it has no userId and providerId.',
      );
    if (provider === 'credential' && password) accounts.passwords.set(user, password);
    const found = identity(provider, account);
    if (found.length > 0)
      accounts.identities.set(user, [...(accounts.identities.get(user) ?? []), ...found]);
  }
  return accounts;
}

const accountOf = (row: Row) => ({
  user: text(row['userId'] ?? row['user_id']),
  provider: text(row['providerId'] ?? row['provider_id']),
  account: row['accountId'] ?? row['account_id'],
  password: text(row['password']),
});
