import { createHash } from 'node:crypto';
import { Op } from 'sequelize';
import type { Context } from '#src/context';

/** What identifies a user. */
export interface UserIds {
  id?: string | undefined;
  usernameCanonical?: string | null | undefined;
  emailCanonical?: string | null | undefined;
  identities?: readonly ProviderAccount[] | undefined;
  /** Digests of passkeys. */
  passkeys?: readonly string[] | undefined;
}
interface ProviderAccount {
  provider: string;
  subject: string;
}

/** The id of a user in the database, or the line of one that was added. */
type Owner = string | number;

/** Twelve bytes in place of a name, so that a dry run of many users fits into memory. */
const short = (text: string) =>
  createHash('sha256').update(text).digest().toString('latin1', 0, 12);
const keysOf = ({ id, usernameCanonical, emailCanonical }: UserIds) => ({
  id: id && short(`i${id}`),
  username: usernameCanonical && short(`u${usernameCanonical}`),
  email: emailCanonical && short(`e${emailCanonical}`),
});

const passkeyKey = (digest: string) => short(`k${digest}`);
const keyOf = ({ provider, subject }: ProviderAccount) => short(`p${provider} ${subject}`);

/** What an import compares its lines with: users in the database, and users of earlier lines. */
export class ExistingUsers {
  readonly #db: Context['db'];
  readonly #added = new Map<string, Owner>();
  #stored = new Map<string, Owner>();

  constructor({ db }: Context) {
    this.#db = db;
  }

  /** Reads the users who have one of these ids or names. Forgets what it read before. */
  async load(wanted: readonly UserIds[]): Promise<void> {
    this.#stored = new Map();
    await this.#loadIdentities(wanted.flatMap(({ identities }) => identities ?? []));
    await this.#loadPasskeys(wanted.flatMap(({ passkeys }) => passkeys ?? []));
    const columns = ['id', 'usernameCanonical', 'emailCanonical'] as const;
    const where = columns.flatMap((column) => {
      const values = wanted.flatMap((user) => user[column] ?? []);
      return values.length > 0 ? [{ [column]: values }] : [];
    });
    if (where.length === 0) return;
    const found = await this.#db.User.findAll({
      attributes: [...columns],
      where: { [Op.or]: where },
    });
    for (const user of found) remember(this.#stored, user, user.id);
  }

  async #loadIdentities(wanted: readonly ProviderAccount[]): Promise<void> {
    const byProvider = Map.groupBy(wanted, ({ provider }) => provider);
    for (const [provider, own] of byProvider) {
      const where = { provider, subject: own.map(({ subject }) => subject) };
      for (const found of await this.#db.Identity.findAll({ where }))
        this.#stored.set(keyOf(found), found.userId);
    }
  }

  async #loadPasskeys(digest: readonly string[]): Promise<void> {
    if (digest.length === 0) return;
    const where = { digest: [...digest] };
    for (const found of await this.#db.Passkey.findAll({ where, include: ['factor'] }))
      this.#stored.set(passkeyKey(found.digest), found.factor!.userId);
  }

  add(user: UserIds, line: number): void {
    remember(this.#added, user, line);
  }

  /** The outcome for a user who exists, or whose names are taken. Undefined for a new user. */
  find(user: UserIds): { outcome: 'unchanged' | 'refused'; detail: string } | undefined {
    const keys = keysOf(user);
    const ownerOf = (key: string | null | undefined) =>
      key ? (this.#stored.get(key) ?? this.#added.get(key)) : undefined;
    const sameId = ownerOf(keys.id);
    const [byUsername, byEmail] = [ownerOf(keys.username), ownerOf(keys.email)];
    const given = [keys.username, keys.email].filter(Boolean).length;
    const found = [byUsername, byEmail].filter((owner) => owner !== undefined);
    // Without an id, a user who has all of the names is the same user.
    const meant = sameId ?? (!keys.id && found.length === given ? found[0] : undefined);
    if (byUsername !== undefined && byUsername !== meant) return refused('username');
    if (byEmail !== undefined && byEmail !== meant) return refused('e-mail address');
    const providers = (user.identities ?? []).map((each) => ownerOf(keyOf(each)));
    if (providers.some((owner) => owner !== undefined && owner !== meant))
      return refused('provider account');
    const passkeys = (user.passkeys ?? []).map((digest) => ownerOf(passkeyKey(digest)));
    if (passkeys.some((owner) => owner !== undefined && owner !== meant)) return refused('passkey');
    if (meant === undefined) return undefined;
    const detail = found.length === 0 ? 'this id is here with other names' : '';
    return { outcome: 'unchanged', detail };
  }
}

const refused = (what: string) => ({
  outcome: 'refused' as const,
  detail: `somebody else here has this ${what}`,
});

function remember(map: Map<string, Owner>, user: UserIds, owner: Owner): void {
  for (const key of Object.values(keysOf(user))) if (key) map.set(key, owner);
  for (const each of user.identities ?? []) map.set(keyOf(each), owner);
  for (const digest of user.passkeys ?? []) map.set(passkeyKey(digest), owner);
}
