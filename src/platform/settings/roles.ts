import { list } from '#src/platform/settings/types';

/** See `access/roles`. */
const ROLE = /^[a-z0-9][a-z0-9._:-]{0,63}$/;

export const signupRoles = list
  .default(['user'])
  .describe(
    'Roles that strangers may choose when they sign up through such a front end, comma-separated.',
  );

/** A name that no role can have would bind nobody, without a word. */
export const mfaRequiredRoles = list
  .refine(
    (names) => names.every((name) => ROLE.test(name)),
    'must be a comma-separated list of roles such as admin,editor',
  )
  .default([])
  .describe(
    'Roles that need a session of two factors, comma-separated. Who has one of them and no second factor can only enrol one until they have. Default: none.',
  );
