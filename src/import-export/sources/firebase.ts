import { text as textOf } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import type { Chunks } from '#src/import-export/entries';
import {
  identity,
  moment,
  rows,
  text,
  yes,
  type UserSource,
} from '#src/import-export/sources/source';

/** https://firebase.google.com/docs/cli/auth#file_format */
const COLUMNS =
  'localId email emailVerified passwordHash salt displayName photoUrl google - - - facebook - - - twitter - - - github - - - createdAt lastSignedInAt phoneNumber'
    .split(' ')
    .map((name, i) => (name === '-' ? `unused${i}` : name));

/** `firebase auth:export`, as JSON or CSV. The second file is the text of *Password hash parameters* in its console. */
export const firebase: UserSource = {
  summary: 'Firebase: firebase auth:export users.json (or .csv)',
  paths: { object: ['$.users.*'], array: ['$.*'] },
  columns: COLUMNS,
  second: 'a text file with the password hash parameters that the console shows',
  async open(second) {
    const prefix = second && (await hashPrefix(second));
    return (row) => {
      const [hash, salt] = [text(row['passwordHash']), text(row['salt'])];
      if (hash && !prefix)
        return 'it has a password hash: give the password hash parameters of the project by --with <file>';
      return {
        email: text(row['email']),
        emailVerified: yes(row['emailVerified']),
        name: text(row['displayName']),
        disabled: yes(row['disabled']),
        passwordHash: hash && `${prefix}$${salt ?? ''}$${hash}`.replace(/[-_]/g, fromUrl),
        createdAt: moment(row['createdAt']),
        identities: [
          ...rows(row['providerUserInfo']).flatMap(({ providerId, rawId }) =>
            identity(providerId, rawId),
          ),
          ...identity('google', row['google']),
          ...identity('github', row['github']),
        ],
      };
    };
  },
};

const fromUrl = (letter: string) => (letter === '-' ? '+' : '/');

/** The parameters as the console shows them: `hash_config { algorithm: SCRYPT, base64_signer_key: …, … }`. */
async function hashPrefix(file: Chunks): Promise<string> {
  const config = await textOf(Readable.from(file));
  const [key, separator, rounds, cost] = [
    'base64_signer_key',
    'base64_salt_separator',
    'rounds',
    'mem_cost',
  ].map((name) => new RegExp(`\\b${name}"?\\s*:\\s*"?([A-Za-z0-9+/=_-]+)`).exec(config)?.[1]);
  if (!key || !separator || !rounds || !cost)
    throw new Error(
      'The file after --with has no base64_signer_key, base64_salt_separator, rounds and mem_cost. Copy it from Authentication, Users, Password hash parameters.',
    );
  return `$fbscrypt$v=1,n=${cost},r=${rounds},p=1,ss=${separator},sk=${key}`;
}
