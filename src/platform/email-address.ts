import { domainToASCII } from 'node:url';
import { z } from 'zod';

/** A name in two forms. */
export interface Identifier {
  /** As it was typed, without the spaces around it. */
  display: string;
  /** Decides which names are the same. Databases never decide: their collations disagree about case, accents and spaces. */
  canonical: string;
}
/** What is wrong with what was typed. */
export interface Fault {
  code: string;
  message: string;
}

const LONGEST_LOCAL_PART = 64;
const LONGEST_ADDRESS = 254;

/** No invisible characters, and nothing that would end the host of a URL. */
const DOMAIN = /^(?!.*\p{Default_Ignorable_Code_Point})[^\s@/\\?#:%[\]]+$/u;
const VISIBLE_ASCII = /^[!-~]+$/;

/**
 * Parses an e-mail address.
 *
 * - Spaces around it are dropped.
 * - Before the @: ASCII, as RFC 5321 allows without quotes, up to 64 characters.
 * - After the @: any domain. Its canonical form is the one of IDNA.
 * - The canonical form is lower case. Dots and `+tags` are part of it: only the owner knows whether they matter.
 * - 254 characters in all.
 */
export function parseEmail(typed: string): Identifier | Fault {
  const display = typed.replace(/^ +| +$/g, '');
  const at = display.lastIndexOf('@');
  const local = display.slice(0, at);
  const typedDomain = display.slice(at + 1);
  const domain = DOMAIN.test(typedDomain) ? domainToASCII(typedDomain) : '';
  const canonical = `${local}@${domain}`.toLowerCase();
  if (
    at < 1 ||
    at > LONGEST_LOCAL_PART ||
    !VISIBLE_ASCII.test(local) || // before lower case: the Kelvin sign would become a k
    display.length > LONGEST_ADDRESS ||
    !z.email().max(LONGEST_ADDRESS).safeParse(canonical).success ||
    canonical.length < local.length
  )
    return { code: 'email', message: 'This is not an e-mail address' };
  return { display, canonical };
}
