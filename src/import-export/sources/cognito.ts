import { validate as isUuid } from 'uuid';
import {
  moment,
  rows,
  text,
  yes,
  type Row,
  type UserSource,
} from '#src/import-export/sources/source';

/** The CSV file of a user pool, or the answer of `aws cognito-idp list-users`. Neither has password hashes. */
export const cognito: UserSource = {
  summary: 'Cognito: the CSV of a user pool, or aws cognito-idp list-users (no password hashes)',
  paths: { object: ['$.Users.*'], array: ['$.*'] },
  open: async () => (row) => {
    const attributes = attributesOf(row);
    const username =
      text(row['Username']) ?? text(row['cognito:username']) ?? text(row['username']);
    const given = [attributes['given_name'], attributes['family_name']].map(text).filter(Boolean);
    const status = text(row['UserStatus']);
    if (status === 'EXTERNAL_PROVIDER') return 'it signs in with an external provider only';
    const isId = username !== undefined && isUuid(username);
    return {
      id: isId ? username : text(attributes['sub']),
      username: isId ? text(attributes['preferred_username']) : username,
      email: text(attributes['email']),
      emailVerified: yes(attributes['email_verified']),
      name: text(attributes['name']) ?? (given.join(' ') || undefined),
      disabled: row['Enabled'] === false || /^false$/i.test(text(row['enabled']) ?? ''),
      createdAt: moment(row['UserCreateDate']),
      factors: yes(row['cognito:mfa_enabled']) ? [{ kind: 'other' }] : undefined, // neither file says more
    };
  },
};

/** Attributes are columns of the CSV, and a list in JSON. */
const attributesOf = (row: Row): Row =>
  Array.isArray(row['Attributes'])
    ? Object.fromEntries(rows(row['Attributes']).map(({ Name, Value }) => [String(Name), Value]))
    : row;
