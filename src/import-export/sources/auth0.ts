import { EVERY_OBJECT, entriesOf, type Chunks } from '#src/import-export/entries';
import {
  identity,
  moment,
  object,
  rows,
  text,
  yes,
  type Row,
  type UserSource,
} from '#src/import-export/sources/source';

/**
 * An export job (`POST /api/v2/jobs/users-exports`, JSON lines or CSV), or the file with hashes that Auth0's support
 * sends. With both: the job is the file, and the hashes are the second one.
 */
export const auth0: UserSource = {
  summary: 'Auth0: an export job, or the file with password hashes from its support',
  paths: EVERY_OBJECT,
  second: 'the file with password hashes from the support',
  async open(second) {
    const hashes = await hashesIn(second);
    return (row) => {
      const [id, email, name] = [idOf(row), text(row['email']), text(row['name'])];
      return {
        email,
        emailVerified: yes(row['email_verified']),
        username: text(row['username']),
        name: name === email ? undefined : name,
        disabled: yes(row['blocked']),
        passwordHash: text(row['passwordHash']) ?? (id && hashes.get(id)),
        createdAt: moment(row['created_at']),
        identities: rows(row['identities']).flatMap(({ provider, user_id }) =>
          identity(provider, user_id),
        ),
      };
    };
  },
};

/** The id without the `auth0|` before it. The support file has it in the manner of MongoDB. */
const idOf = ({ user_id, _id }: Row) =>
  text(user_id)?.replace(/^auth0\|/, '') ?? text(object(_id)['$oid']) ?? text(_id);

async function hashesIn(file: Chunks | undefined): Promise<Map<string, string>> {
  const hashes = new Map<string, string>();
  if (!file) return hashes;
  for await (const { value } of entriesOf(file, EVERY_OBJECT)) {
    const [id, hash] = [idOf(object(value)), text(object(value)['passwordHash'])];
    if (id && hash) hashes.set(id, hash);
  }
  return hashes;
}
