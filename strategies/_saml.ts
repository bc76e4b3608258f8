import type { CacheProvider, Profile } from '@node-saml/passport-saml';

/**
 * Stores the ids of requests in the session of the browser that made them. So every node can check
 * to which request an answer belongs, and an answer is good in no other browser.
 */
export function requestIdsIn(req: object): CacheProvider {
  const { session } = req as { session: Record<string, string> };
  return {
    saveAsync: async (key, value) => ({ value: (session[key] = value), createdAt: Date.now() }),
    getAsync: async (key) => session[key] ?? null,
    removeAsync: async (key) =>
      key !== null && key in session && delete session[key] ? key : null,
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
 * True if the signed assertion says that it answers this request, at this address (SAML 2.0
 * Profiles §4.1.4.2). The library checks only the time, and trusts the envelope, which is not
 * signed: someone with a stolen assertion could put it into an envelope of their own.
 */
export function answersRequest(profile: Profile, callbackUrl: string): boolean {
  const [subject] = (profile.getAssertion?.() as Assertion | undefined)?.Assertion?.Subject ?? [];
  const confirmations = subject?.SubjectConfirmation ?? [];
  return (
    confirmations.length > 0 &&
    confirmations.every(
      (one) => one.$?.Method === BEARER && isFor(one, profile.inResponseTo, callbackUrl),
    )
  );
}

function isFor(
  { SubjectConfirmationData = [] }: Confirmation,
  inResponseTo: unknown,
  callbackUrl: string,
): boolean {
  const [{ $: { Recipient, InResponseTo } = {} } = {}, ...more] = SubjectConfirmationData;
  return (
    more.length === 0 &&
    Recipient === callbackUrl &&
    InResponseTo !== undefined &&
    InResponseTo === inResponseTo
  );
}

/** The names of the attribute that holds the e-mail address. */
const EMAIL_ATTRIBUTES = [
  'email',
  'mail',
  'urn:oid:0.9.2342.19200300.100.1.3',
  'http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress',
];
export const emailIn = (profile: Profile): string | undefined =>
  EMAIL_ATTRIBUTES.map((name) => profile[name]).find((value) => typeof value === 'string');

const STATUS = /<(?:[\w.-]+:)?StatusCode\b[^<>]*\bValue\s*=\s*["']([^"'<>]*)["']/g;
const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/**
 * True if the response says that the sign-in succeeded (SAML 2.0 Core §3.2.2). The library does not
 * look at the status of a response with an assertion.
 */
export function isSuccess(profile: Profile): boolean {
  const codes = [...(profile.getSamlResponseXml?.() ?? '').matchAll(STATUS)].map(
    ([, code]) => code,
  );
  return codes.length > 0 && codes.every((code) => code === SUCCESS);
}
