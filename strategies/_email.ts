import { z } from 'zod';
import { list } from '#src/core/setting-types';

/** A setting: the domains whose addresses a provider may vouch for. */
export const domains = list
  .transform((names) => names.map((name) => name.toLowerCase()))
  .refine((names) => names.every((name) => z.hostname().safeParse(name).success), 'must be domains such as example.com, without @ and *')
  .default([])
  .describe('Domains whose addresses it may vouch for, comma-separated. Others count as not verified.');

/** An address, and whether whoever gave it may vouch for it. */
export const vouchedFor = (email: string | undefined, trusted: readonly string[]) => ({
  email,
  emailVerified: trusted.includes(email?.split('@').at(-1)?.toLowerCase() ?? ''),
});
