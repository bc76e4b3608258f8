import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { z } from 'zod';

const PEM = /-----BEGIN ([A-Z0-9 ]+)-----[^-]+-----END \1-----/g;

/** A setting: certificates, as PEM each. What is none of them makes it invalid. */
export const certificates = z.string().transform((text, context) => {
  try {
    const found = certificatesIn(text.replaceAll('\\n', '\n'));
    if (found.length > 0) return found;
  } catch {
    // said below
  }
  context.addIssue({
    code: 'custom',
    message:
      'must be certificates, separated by commas: base64 on one line, PEM, or the name of a PEM file',
  });
  return z.NEVER;
});

/** @throws {Error} for anything that is no certificate */
function certificatesIn(text: string): string[] {
  if (text.includes('-----BEGIN')) {
    if (!/^[\s,]*$/.test(text.replaceAll(PEM, ''))) throw new Error('More than certificates');
    return pemBlocks(text);
  }
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
    .flatMap((item) => (isBase64(item) ? [pemOf(Buffer.from(item, 'base64'))] : pemFile(item)));
}

/** Certificates begin with this: an ASN.1 sequence of more than 255 bytes. */
const isBase64 = (item: string) => /^MI[I-M][A-Za-z0-9+/\s]+={0,2}$/.test(item);

/** Files may have text around the certificates, and one may be DER. */
function pemFile(name: string): string[] {
  const content = readFileSync(name);
  const text = content.toString('latin1');
  return text.includes('-----BEGIN') ? pemBlocks(text) : [pemOf(content)];
}

const pemBlocks = (text: string): string[] =>
  [...text.matchAll(PEM)].map(([block, label]) => {
    if (label !== 'CERTIFICATE') throw new Error('No certificate');
    return pemOf(block);
  });

const pemOf = (certificate: string | Buffer): string => new X509Certificate(certificate).toString();

/** For people: whose certificate it is, and its SHA-256 fingerprint. */
export const describe = (pem: string | Buffer): string => {
  const { subject, fingerprint256 } = new X509Certificate(pem);
  return `${subject.replaceAll('\n', ', ')} ${fingerprint256}`;
};

/** One sentence for each certificate that is not valid today. `now`: in milliseconds. */
export const expiredAmong = (pems: readonly string[], setting: string): string[] =>
  pems.flatMap((pem) => {
    const { validFromDate, validToDate } = new X509Certificate(pem);
    const now = new Date(performance.timeOrigin + performance.now());
    if (now >= validFromDate && now <= validToDate) return [];
    return [
      `A certificate in ${setting} is valid from ${validFromDate.toISOString()} to ${validToDate.toISOString()} only: ${describe(pem)}. Add the current certificate of your identity provider, and remove this one once nothing is signed with it.`,
    ];
  });
