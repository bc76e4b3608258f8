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
 * The only entry with this name, if the password is right; or null. The connection is encrypted
 * unless the directory is on this machine. Callers must refuse an empty password: it would be an
 * anonymous bind, which succeeds (RFC 4513 §5.1.2).
 * @throws {Problem} 503 `unavailable` if the directory does not answer, refuses LDAP_BIND_DN or
 * does not know LDAP_SEARCH_BASE
 */
export async function entryOf(
  directory: Directory,
  name: string,
  password: string,
): Promise<Entry | null> {
  const client = new Client({
    url: directory.url,
    timeout: TIMEOUT_MS,
    connectTimeout: TIMEOUT_MS,
  });
  try {
    const entry = await findEntry(client, directory, name);
    return entry && (await isPasswordOf(client, entry, password)) ? entry : null;
  } catch (cause) {
    throw new Problem('unavailable', { cause });
  } finally {
    await client.unbind().catch(() => {});
  }
}

async function findEntry(
  client: Client,
  { url, bindDn, bindPassword, base, attribute }: Directory,
  name: string,
): Promise<Entry | undefined> {
  const { protocol, hostname: host } = new URL(url.replace(/^ldap/, 'http'));
  if (protocol === 'http:' && !isLoopback(host)) await client.startTLS({ host });
  await client
    .bind(bindDn, bindPassword)
    .catch(explain('The directory refuses LDAP_BIND_DN with LDAP_BIND_PASSWORD'));
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

async function isPasswordOf(client: Client, { dn }: Entry, password: string): Promise<boolean> {
  // The library would connect again, without TLS.
  if (!client.isConnected) throw new Error('The directory closed the connection');
  try {
    await client.bind(dn, password);
    return true;
  } catch (error) {
    if (REFUSALS.some((refusal) => error instanceof refusal)) return false;
    throw error;
  }
}

const explain = (sentence: string) => (cause: unknown) => {
  throw cause instanceof ResultCodeError ? new Error(sentence, { cause }) : cause;
};
