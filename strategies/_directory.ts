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
import { Problem } from '#src/core/problem';
import { isLoopback } from '#src/core/setting-types';

interface Directory {
  url: string;
  bindDn: string;
  bindPassword: string;
  base: string;
  attribute: string;
}
/** How long the directory may take for each answer, in milliseconds. */
const PATIENCE = 2000;
/** What is read of a person. Not `*`: that is their photo, and maybe the hash of their password. */
const ATTRIBUTES = ['entryUUID', 'nsUniqueId', 'objectGUID', 'uid', 'sAMAccountName', 'cn', 'mail'];
/** The password is wrong; or there is none, the person is locked out, has to change it. */
const NOT_YOU = [InvalidCredentialsError, InappropriateAuthError, UnwillingToPerformError, ConstraintViolationError];

/**
 * The one entry that has this name and opens with this password, or null. A password goes over the wire in the clear to this machine
 * only. An empty password would be an anonymous bind, which succeeds (RFC 4513 §5.1.2): callers refuse it.
 * Throws 503 `unavailable` when the directory is away, refuses LDAP_BIND_DN or does not know LDAP_SEARCH_BASE.
 */
export async function entryOf(directory: Directory, name: string, password: string): Promise<Entry | null> {
  const client = new Client({ url: directory.url, timeout: PATIENCE, connectTimeout: PATIENCE });
  try {
    const entry = await lookUp(client, directory, name);
    return entry && (await opens(client, entry, password)) ? entry : null;
  } catch (cause) {
    throw new Problem('unavailable', { cause });
  } finally {
    await client.unbind().catch(() => {});
  }
}

async function lookUp(client: Client, { url, bindDn, bindPassword, base, attribute }: Directory, name: string): Promise<Entry | undefined> {
  const { protocol, hostname: host } = new URL(url.replace(/^ldap/, 'http'));
  if (protocol === 'http:' && !isLoopback(host)) await client.startTLS({ host });
  await client.bind(bindDn, bindPassword).catch(because('The directory refuses LDAP_BIND_DN with LDAP_BIND_PASSWORD'));
  const filter = new EqualityFilter({ attribute, value: name });
  const wanted = { filter, sizeLimit: 2, attributes: ATTRIBUTES, explicitBufferAttributes: ['objectGUID'] };
  const { searchEntries } = await client.search(base, wanted).catch(because('The directory cannot search LDAP_SEARCH_BASE'));
  return searchEntries.length === 1 ? searchEntries[0] : undefined;
}

async function opens(client: Client, { dn }: Entry, password: string): Promise<boolean> {
  // The library would connect again, without TLS.
  if (!client.isConnected) throw new Error('The directory hung up');
  try {
    await client.bind(dn, password);
    return true;
  } catch (error) {
    if (NOT_YOU.some((refusal) => error instanceof refusal)) return false;
    throw error;
  }
}

const because = (sentence: string) => (cause: unknown) => {
  throw cause instanceof ResultCodeError ? new Error(sentence, { cause }) : cause;
};
