import { z } from 'zod';
import { list } from '#src/platform/settings/types';

/** A setting: the domains for which a provider's e-mail addresses count as verified. */
export const domains = list
  .transform((names) => names.map((name) => name.toLowerCase()))
  .refine(
    (names) => names.every((name) => z.hostname().safeParse(name).success),
    'must be domains such as example.com, without @ and *',
  )
  .default([])
  .describe(
    'E-mail addresses of these domains count as verified, comma-separated. Others count as not verified.',
  );

/** The claims about an address. It counts as verified only in one of these domains. */
export const emailClaims = (email: string | undefined, trusted: readonly string[]) => ({
  email,
  emailVerified: trusted.includes(email?.split('@').at(-1)?.toLowerCase() ?? ''),
});
