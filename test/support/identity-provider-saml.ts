import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { SignedXml } from 'xml-crypto';

export const ENTRY = 'http://127.0.0.1:9/sso';
const EMAIL_ADDRESS = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
const SAML = 'urn:oasis:names:tc:SAML:2.0';
const EXCLUSIVE = 'http://www.w3.org/2001/10/xml-exc-c14n#';

/** A key, and a certificate that says so itself: PEM. */
export function newIdentity() {
  const pem = execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=idp',
      '-keyout',
      '-',
      '-out',
      '-',
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const [key, certificate] = ['PRIVATE KEY', 'CERTIFICATE'].map(
    (what) => new RegExp(`-----BEGIN ${what}-----[^-]+-----END ${what}-----`).exec(pem)![0],
  ) as [string, string];
  return { key, certificate, oneLine: certificate.replace(/-----[^-]+-----|\s/g, '') };
}

/** The id of the SAML request in the address, and the RelayState that the answer must repeat. */
export function requestIn(address: URL) {
  const xml = inflateRawSync(
    Buffer.from(address.searchParams.get('SAMLRequest')!, 'base64'),
  ).toString();
  return {
    id: / ID="([^"]+)"/.exec(xml)![1]!,
    relayState: address.searchParams.get('RelayState')!,
    xml,
  };
}

export interface Said {
  inResponseTo?: string | null;
  /** Of the envelope, which nobody signs. */
  envelopeInResponseTo?: string | null;
  recipient?: string;
  destination?: string;
  audience?: string | null;
  /** Seconds from now. */
  notBefore?: number;
  notOnOrAfter?: number;
  issuer?: string;
  nameId?: string | null;
  format?: string;
  method?: string;
  attributes?: Record<string, string>;
  id?: string;
  /** Stands in the assertion, for its length. */
  padding?: string;
}
const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
const optional = (name: string, value: string | null | undefined) =>
  value ? ` ${name}="${value}"` : '';

/** An assertion as identity providers write it; not signed. */
export function assertion({ notBefore = -5, notOnOrAfter = 60, ...said }: Said): string {
  const {
    inResponseTo,
    recipient = '',
    audience,
    issuer = 'idp',
    nameId = 'ida@corp.test',
    format = EMAIL_ADDRESS,
  } = said;
  const {
    method = `${SAML}:cm:bearer`,
    attributes = {},
    id = `_${randomUUID()}`,
    padding = '',
  } = said;
  const values = Object.entries(attributes).map(
    ([name, value]) =>
      `<saml:Attribute Name="${name}"><saml:AttributeValue>${value}</saml:AttributeValue></saml:Attribute>`,
  );
  return [
    `<saml:Assertion xmlns:saml="${SAML}:assertion" ID="${id}" Version="2.0" IssueInstant="${at(0)}"><saml:Issuer>${issuer}</saml:Issuer>`,
    `<saml:Subject>${nameId === null ? '' : `<saml:NameID Format="${format}">${nameId}</saml:NameID>`}`,
    `<saml:SubjectConfirmation Method="${method}"><saml:SubjectConfirmationData${optional('InResponseTo', inResponseTo)}`,
    ` NotOnOrAfter="${at(notOnOrAfter)}"${optional('Recipient', recipient)}/></saml:SubjectConfirmation></saml:Subject>`,
    `<saml:Conditions NotBefore="${at(notBefore)}" NotOnOrAfter="${at(notOnOrAfter)}">`,
    audience
      ? `<saml:AudienceRestriction><saml:Audience>${audience}</saml:Audience></saml:AudienceRestriction>`
      : '',
    `</saml:Conditions><saml:AuthnStatement AuthnInstant="${at(0)}" SessionIndex="s1"/>`,
    values.length > 0
      ? `<saml:AttributeStatement>${values.join('')}</saml:AttributeStatement>`
      : '',
    `${padding}</saml:Assertion>`,
  ].join('');
}

/** Puts a signature into the element of this name. */
export function sign(
  xml: string,
  { key, certificate }: { key: string; certificate: string },
  element = 'Assertion',
): string {
  const signature = new SignedXml({
    privateKey: key,
    publicCert: certificate,
    signatureAlgorithm: 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
    canonicalizationAlgorithm: EXCLUSIVE,
  });
  const xpath = `//*[local-name(.)='${element}']`;
  signature.addReference({
    xpath,
    transforms: ['http://www.w3.org/2000/09/xmldsig#enveloped-signature', EXCLUSIVE],
    digestAlgorithm: 'http://www.w3.org/2001/04/xmlenc#sha256',
  });
  signature.computeSignature(xml, {
    location: { reference: `${xpath}/*[local-name(.)='Issuer']`, action: 'after' },
  });
  return signature.getSignedXml();
}

/** The envelope around assertions. */
export const envelope = (
  content: string,
  {
    envelopeInResponseTo,
    inResponseTo,
    destination = '',
    status = 'Success',
  }: Said & { status?: string },
) =>
  [
    `<samlp:Response xmlns:samlp="${SAML}:protocol" ID="_${randomUUID()}" Version="2.0" IssueInstant="${at(0)}"`,
    `${optional('InResponseTo', envelopeInResponseTo === undefined ? inResponseTo : envelopeInResponseTo)}${optional('Destination', destination)}>`,
    `<saml:Issuer xmlns:saml="${SAML}:assertion">idp</saml:Issuer>`,
    `<samlp:Status><samlp:StatusCode Value="${SAML}:status:${status}"/></samlp:Status>${content}</samlp:Response>`,
  ].join('');

/** A request to sign somebody out, as an identity provider may send it. */
export const logoutRequest = (nameId: string, destination: string) =>
  [
    `<samlp:LogoutRequest xmlns:samlp="${SAML}:protocol" ID="_${randomUUID()}" Version="2.0" IssueInstant="${at(0)}" Destination="${destination}">`,
    `<saml:Issuer xmlns:saml="${SAML}:assertion">idp</saml:Issuer>`,
    `<saml:NameID xmlns:saml="${SAML}:assertion">${nameId}</saml:NameID></samlp:LogoutRequest>`,
  ].join('');
