import { list } from '#src/core/setting-types';

/** A setting: the domains whose addresses a provider may vouch for. */
export const domains = list
  .default([])
  .describe('Domains whose addresses it may vouch for, comma-separated. Others count as not verified.');

/** An address, and whether whoever gave it may vouch for it. */
export const vouchedFor = (email: string | undefined, trusted: readonly string[]) => ({
  email,
  emailVerified: trusted.includes(email?.split('@').at(-1)?.toLowerCase() ?? ''),
});
