import { createHash } from 'node:crypto';
import { Op } from 'sequelize';
import { User } from '#models/index';

/** By what a user is known. */
export interface Named {
  id?: string | undefined;
  usernameCanonical?: string | null | undefined;
  emailCanonical?: string | null | undefined;
}

/** The id of somebody in the database, or the line of somebody who was added. */
type Owner = string | number;

/** Twelve bytes in place of a name, so that a rehearsal of many users fits into memory. */
const short = (text: string) => createHash('sha256').update(text).digest().toString('latin1', 0, 12);
const keysOf = ({ id, usernameCanonical, emailCanonical }: Named) => ({
  id: id && short(`i${id}`),
  username: usernameCanonical && short(`u${usernameCanonical}`),
  email: emailCanonical && short(`e${emailCanonical}`),
});

/** Who is here: in the database, and those who were added. */
export class Present {
  readonly #added = new Map<string, Owner>();
  #here = new Map<string, Owner>();

  /** Looks in the database for whoever has one of these ids and names. What was found before is forgotten. */
  async look(wanted: Named[]): Promise<void> {
    this.#here = new Map();
    const where = (['id', 'usernameCanonical', 'emailCanonical'] as const).flatMap((column) => {
      const values = wanted.flatMap((named) => named[column] ?? []);
      return values.length > 0 ? [{ [column]: values }] : [];
    });
    if (where.length === 0) return;
    const attributes = ['id', 'usernameCanonical', 'emailCanonical'];
    for (const user of await User.findAll({ attributes, where: { [Op.or]: where } })) remember(this.#here, user, user.id);
  }

  add(named: Named, line: number): void {
    remember(this.#added, named, line);
  }

  /** What becomes of somebody with these names who is here, or whose names are taken; undefined if they are new. */
  find(named: Named): { outcome: 'unchanged' | 'refused'; detail: string } | undefined {
    const keys = keysOf(named);
    const who = (key: string | null | undefined) => (key ? (this.#here.get(key) ?? this.#added.get(key)) : undefined);
    const [same, byUsername, byEmail] = [who(keys.id), who(keys.username), who(keys.email)];
    const given = [keys.username, keys.email].filter(Boolean).length;
    const found = [byUsername, byEmail].filter((owner) => owner !== undefined);
    // Without an id, whoever has all of the names is meant.
    const meant = same ?? (!keys.id && found.length === given ? found[0] : undefined);
    if (byUsername !== undefined && byUsername !== meant) return refused('username');
    if (byEmail !== undefined && byEmail !== meant) return refused('e-mail address');
    if (meant === undefined) return undefined;
    return { outcome: 'unchanged', detail: found.length === 0 ? 'this id is here with other names' : '' };
  }
}

const refused = (what: string) => ({ outcome: 'refused' as const, detail: `somebody else here has this ${what}` });

function remember(map: Map<string, Owner>, named: Named, owner: Owner): void {
  for (const key of Object.values(keysOf(named))) if (key) map.set(key, owner);
}
