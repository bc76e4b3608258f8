import {
  Client,
  ConstraintViolationError,
  EqualityFilter,
  InappropriateAuthError,
  InvalidCredentialsError,
  ResultCodeError,
  UnwillingToPerformError,
  type Entry,
} from 'ldapts';
import { Problem } from '#src/platform/http/problem';
import { isLoopback } from '#src/platform/settings/types';
import { explain as unreachable } from '#strategies/_unreachable';

interface Directory {
  url: string;
  bindDn: string;
  bindPassword: string;
  base: string;
  attribute: string;
}
/** Timeout for each answer of the directory, in milliseconds. */
const TIMEOUT_MS = 2000;
/** Attributes that are read. `*` would include the photo and maybe the hash of the password. */
const ATTRIBUTES = ['entryUUID', 'nsUniqueId', 'objectGUID', 'uid', 'sAMAccountName', 'cn', 'mail'];
/** The password is wrong or missing, the account is locked, or the password must be changed. */
const REFUSALS = [
  InvalidCredentialsError,
  InappropriateAuthError,
  UnwillingToPerformError,
  ConstraintViolationError,
];

/**
 * The only entry with this name, however it is spelt, or undefined. The directory decides which spellings are one name.
 * @throws {Problem} 503 `unavailable`, as `entryOf`
 */
export const entryNamed = (directory: Directory, name: string): Promise<Entry | undefined> =>
  withClient(directory, (client) => findEntry(client, directory, name));

/**
 * The id of an entry that stays. Names change, and may pass to another person (RFC 4530). A directory without such ids is
 * known by its DN.
 */
export function subjectOf({ dn, entryUUID, nsUniqueId, objectGUID }: Entry): string {
  const text = [entryUUID, nsUniqueId]
    .flat()
    .map((id) => String(id ?? ''))
    .find(Boolean);
  return text ?? (Buffer.isBuffer(objectGUID) ? objectGUID.toString('hex') : dn);
}

/**
 * The only entry with this name, if the password is right; null if there is none. The connection is
 * encrypted unless the directory is on this machine. Callers must refuse an empty password: it would
 * be an anonymous bind, which succeeds (RFC 4513 §5.1.2).
 * @throws {Problem} 401 `invalid_credentials` with the reason of the directory; 503 `unavailable` if
 * the directory does not answer, refuses LDAP_BIND_DN or does not know LDAP_SEARCH_BASE
 */
export const entryOf = (
  directory: Directory,
  name: string,
  password: string,
): Promise<Entry | null> =>
  withClient(directory, async (client) => {
    const entry = await findEntry(client, directory, name);
    if (!entry) return null;
    await provePassword(client, entry, password);
    return entry;
  });

async function withClient<T>(
  directory: Directory,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = new Client({
    url: directory.url,
    timeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
  });
  try {
    return await work(client);
  } catch (cause) {
    if (cause instanceof Problem) throw cause;
    throw new Problem('unavailable', { cause });
  } finally {
    await client.unbind().catch(() => {});
  }
}

/** What is wrong with a directory, or with the settings that name it. */
export async function checkDirectory(directory: Directory): Promise<string[]> {
  const { url, base } = directory;
  try {
    await withClient(directory, async (client) => {
      await bindSearcher(client, directory);
      await client
        .search(base, { scope: 'base', attributes: ['1.1'], sizeLimit: 1 })
        .catch(explain('The directory does not know LDAP_SEARCH_BASE'));
    });
    return [];
  } catch (problem) {
    const cause = (problem as Problem).cause as Error;
    return [
      cause.cause instanceof ResultCodeError
        ? `${cause.message}. Compare the setting with the directory at ${url}.`
        : unreachable(cause, `The directory at ${url}`),
    ];
  }
}

async function bindSearcher(
  client: Client,
  { url, bindDn, bindPassword }: Directory,
): Promise<void> {
  const { protocol, hostname: host } = new URL(url.replace(/^ldap/, 'http'));
  if (protocol === 'http:' && !isLoopback(host)) await client.startTLS({ host });
  await client
    .bind(bindDn, bindPassword)
    .catch(explain('The directory refuses LDAP_BIND_DN with LDAP_BIND_PASSWORD'));
}

async function findEntry(
  client: Client,
  directory: Directory,
  name: string,
): Promise<Entry | undefined> {
  const { base, attribute } = directory;
  await bindSearcher(client, directory);
  const { searchEntries } = await client
    .search(base, {
      filter: new EqualityFilter({ attribute, value: name }),
      sizeLimit: 2,
      attributes: ATTRIBUTES,
      explicitBufferAttributes: ['objectGUID'],
    })
    .catch(explain('The directory cannot search LDAP_SEARCH_BASE'));
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

async function provePassword(client: Client, { dn }: Entry, password: string): Promise<void> {
  // The library would connect again, without TLS.
  if (!client.isConnected) throw new Error('The directory closed the connection');
  // Half a character would be sent as U+FFFD.
  if (!password.isWellFormed()) throw new Problem('invalid_credentials');
  try {
    await client.bind(dn, password);
  } catch (error) {
    if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
    // Its own reason is for the log: locked, expired, or only wrong.
    throw new Problem('invalid_credentials', { cause: error });
  }
}

const explain = (sentence: string) => (cause: unknown) => {
  throw cause instanceof ResultCodeError ? new Error(sentence, { cause }) : cause;
};
