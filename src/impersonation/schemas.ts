import { z } from 'zod';
import { lifetimes } from '#src/lifetimes';
import { PlainText } from '#src/platform/text';
import { Tokens } from '#src/sessions/schemas';

export const Impersonation = z
  .strictObject({
    reason: PlainText.max(200).meta({
      description:
        'For the user, who reads it in a mail and in the list of sessions, and for the record.',
      example: 'Ticket 4711: an invoice is not shown',
    }),
  })
  .meta({ id: 'Impersonation' });

/** The answer has no refresh token: nothing prolongs the session. */
export const ImpersonationTokens = Tokens.omit({ refreshToken: true, refreshExpiresIn: true })
  .extend({
    expiresIn: z.int().meta({
      description:
        'Seconds until the access token expires, and the session ends. There is no refresh token.',
      example: lifetimes.impersonationSeconds,
    }),
  })
  .meta({ id: 'ImpersonationTokens' });
