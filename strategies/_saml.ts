import { X509Certificate } from 'node:crypto';
import type { CacheProvider, Profile } from '@node-saml/passport-saml';

/** Which request an answer belongs to is kept by the browser that asked: it can be checked on every node, and lent to nobody. */
export function requestIdsIn(req: object): CacheProvider {
  const { session } = req as { session: Record<string, string> };
  return {
    saveAsync: async (key, value) => ({ value: (session[key] = value), createdAt: Date.now() }),
    getAsync: async (key) => session[key] ?? null,
    removeAsync: async (key) => (key !== null && key in session && delete session[key] ? key : null),
  };
}

const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
interface Confirmation {
  $?: { Method?: string };
  SubjectConfirmationData?: { $?: { Recipient?: string; InResponseTo?: string } }[];
}
interface Assertion {
  Assertion?: { Subject?: { SubjectConfirmation?: Confirmation[] }[] };
}

/**
 * Whether what was signed says that it answers this very request, here (SAML 2.0 Profiles §4.1.4.2). The library looks at the time
 * alone, and believes the envelope, which nobody has signed: whoever found an assertion could put it into an envelope of their own.
 */
export function answersRequest(profile: Profile, callbackUrl: string): boolean {
  const [subject] = (profile.getAssertion?.() as Assertion | undefined)?.Assertion?.Subject ?? [];
  const confirmations = subject?.SubjectConfirmation ?? [];
  return (
    confirmations.length > 0 && confirmations.every((one) => one.$?.Method === BEARER && isFor(one, profile.inResponseTo, callbackUrl))
  );
}

function isFor({ SubjectConfirmationData = [] }: Confirmation, inResponseTo: unknown, callbackUrl: string): boolean {
  const [{ $: { Recipient, InResponseTo } = {} } = {}, ...more] = SubjectConfirmationData;
  return more.length === 0 && Recipient === callbackUrl && InResponseTo !== undefined && InResponseTo === inResponseTo;
}

/** Base64 of a certificate, on one line: as identity providers show it. */
export function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(Buffer.from(text, 'base64')).publicKey.type === 'public';
  } catch {
    return false;
  }
}

const EMAILS = ['email', 'mail', 'urn:oid:0.9.2342.19200300.100.1.3', 'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress'];
/** The address, under the names that it goes by. */
export const emailIn = (profile: Profile): string | undefined =>
  EMAILS.map((name) => profile[name]).find((value) => typeof value === 'string');
