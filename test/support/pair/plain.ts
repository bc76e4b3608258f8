import type { Answer } from '#test/support/client';
import { read } from '#test/support/forge';

/** Headers that differ between two servers that do the same, and between two answers of one. */
const OTHER = new Set(['date', 'x-request-id', 'content-length', 'connection', 'keep-alive']);

const JWT = /eyJ[\w-]+\.[\w-]+\.[\w-]+/g;
const SECRET =
  /rt1\.[\w-]+|sp_[0-9A-Za-z]{38}|\$2b\$[./0-9A-Za-z$]{56}|\b[A-Z2-7]{32}\b|[\w+/=-]{40,}/g;
const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g;
const MILLISECONDS = /(\d\dT\d\d:\d\d:\d\d)\.\d{3}Z/g;

/**
 * Takes from values what chance and ports put into them, so that two servers can be compared. The first id or secret is
 * `1`, the next one that is different `2`, on each server: the same one has the same number, wherever it stands. Times
 * lose their milliseconds.
 */
export function plainTexts() {
  const numbers = new Map<string, number>();
  const numbered = (text: string): string => {
    if (!numbers.has(text)) numbers.set(text, numbers.size + 1);
    return `<${numbers.get(text)}>`;
  };
  const known = (text: string): string => (numbers.has(text) ? `<${numbers.get(text)}>` : '<?>');
  const replaced = (text: string, by: (secret: string) => string): string =>
    text
      .replace(JWT, (token) => claimsOf(token) ?? by(token))
      .replace(SECRET, by)
      .replace(UUID, by)
      .replace(MILLISECONDS, '$1Z');
  const plain = (text: string): string => replaced(text, numbered);
  const claimsOf = (token: string): string | undefined => {
    try {
      const { header, claims } = read(token);
      return plain(`${JSON.stringify(header)}.${JSON.stringify(claims)}`);
    } catch {
      return undefined;
    }
  };
  /** `inOrder`: sorts by what is not random, or was seen before. */
  const inOrder = (values: readonly unknown[]): unknown[] =>
    values
      .map((value) => ({ value, key: replaced(textOf(value), known) }))
      .sort((a, b) => (a.key < b.key ? -1 : 1))
      .map(({ value }) => value);
  return { plain, inOrder };
}

/** Members of answers that are random and cannot be told from other text. `qr`: the secret of an authenticator app, as a picture. */
const RANDOM = new Set(['last4', 'requestId', 'code', 'qr']);
const isCode = (value: unknown) => typeof value === 'string' && /^\d{6}$/.test(value);

/** A value as text. */
export const textOf = (value: unknown): string =>
  JSON.stringify(
    value,
    function (this: object, name, member: unknown) {
      if (name === 'createdAt' && 'permissions' in this) return '<when the server first started>';
      return RANDOM.has(name) && (name !== 'code' || isCode(member)) ? `<${name}>` : member;
    },
    1,
  ) ?? 'undefined';

/** What two servers must have in common: status, headers and body. */
export const essence = ({ status, headers, text, body }: Answer) => ({
  status,
  // An ETag is a digest, also of what chance decides.
  headers: [...headers]
    .filter(([name]) => !OTHER.has(name))
    .map(([name, value]) => [name, name === 'etag' ? '<etag>' : value]),
  body: body ?? text,
});

export const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && 'headers' in value && 'status' in value;
