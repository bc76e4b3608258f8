import { EVERY_OBJECT, entriesOf, type Chunks } from '#src/import-export/entries';
import {
  identity,
  moment,
  object,
  rows,
  text,
  yes,
  type Line,
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
    const { hashes, factors } = await readSecond(second);
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
        factors: factorsOf(row) ?? (id && factors.get(id)),
      };
    };
  },
};

/** The id without the `auth0|` before it. The support file has it in the manner of MongoDB. */
const idOf = ({ user_id, _id }: Row) =>
  text(user_id)?.replace(/^auth0\|/, '') ?? text(object(_id)['$oid']) ?? text(_id);

/** `mfa_factors` as in its bulk imports. `multifactor` only says what somebody had. */
function factorsOf({ mfa_factors: given, multifactor }: Row): Line[] | undefined {
  const found = rows(list(given)).flatMap((each) => Object.entries(each).map(factorOf));
  if (found.length > 0) return found;
  const named = list(multifactor);
  return Array.isArray(named) && named.length > 0
    ? named.map(() => ({ kind: 'other' }))
    : undefined;
}

function factorOf([kind, value]: [string, unknown]): Line {
  if (kind === 'totp') return { kind, secret: text(object(value)['secret']) };
  return { kind: kind === 'phone' || kind === 'email' ? kind : 'other' };
}

/** JSON inside a text, as in CSV. */
function list(value: unknown): unknown {
  try {
    return typeof value === 'string' ? JSON.parse(value) : value;
  } catch {
    return undefined;
  }
}

/** The hashes from the support, and second factors if it has sent them. */
async function readSecond(file: Chunks | undefined) {
  const hashes = new Map<string, string>();
  const factors = new Map<string, Line[]>();
  if (!file) return { hashes, factors };
  for await (const { value } of entriesOf(file, EVERY_OBJECT)) {
    const row = object(value);
    const [id, hash, own] = [idOf(row), text(row['passwordHash']), factorsOf(row)];
    if (id && hash) hashes.set(id, hash);
    if (id && own) factors.set(id, own);
  }
  return { hashes, factors };
}
