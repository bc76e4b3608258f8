import { EVERY_OBJECT, entriesOf, type Chunks } from '#src/import-export/entries';
import {
  identity,
  moment,
  object,
  text,
  yes,
  type Line,
  type UserSource,
} from '#src/import-export/sources/source';

/** Its table auth.users, as CSV or JSON. The second file is auth.identities, for those who sign in with a provider. */
export const supabase: UserSource = {
  summary: 'Supabase: its table auth.users, and auth.identities by --with, as CSV or JSON',
  paths: EVERY_OBJECT,
  second: 'the table auth.identities',
  async open(second, now) {
    const identities = await identitiesIn(second);
    return (row) => {
      if (moment(row['deleted_at'])) return 'it was deleted';
      if (yes(row['is_anonymous'])) return 'it is anonymous';
      const meta = object(row['raw_user_meta_data']);
      const banned = moment(row['banned_until']);
      return {
        id: row['id'],
        email: text(row['email']),
        emailVerified: moment(row['email_confirmed_at'] ?? row['confirmed_at']) !== undefined,
        name: text(meta['full_name']) ?? text(meta['name']),
        disabled: banned !== undefined && Date.parse(banned) > now,
        passwordHash: text(row['encrypted_password']),
        createdAt: moment(row['created_at']),
        identities: identities.get(String(row['id'])),
      };
    };
  },
};

async function identitiesIn(file: Chunks | undefined): Promise<Map<string, Line[]>> {
  const found = new Map<string, Line[]>();
  if (!file) return found;
  for await (const { value } of entriesOf(file, EVERY_OBJECT)) {
    const row = object(value);
    const user = text(row['user_id']);
    if (!user)
      throw new Error('The file after --with is not the table auth.identities: it has no user_id.');
    const subject = row['provider_id'] ?? object(row['identity_data'])['sub'];
    const own = identity(row['provider'], subject);
    if (own.length > 0) found.set(user, [...(found.get(user) ?? []), ...own]);
  }
  return found;
}
