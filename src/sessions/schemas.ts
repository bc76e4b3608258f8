import { z } from 'zod';
import type { Session, User } from '#models/index';
import { config } from '#src/config';
import { Time } from '#src/core/time';
import { signAccessToken } from '#src/sessions/tokens';
import { PublicUser, publicUser } from '#src/users/schemas';

const PublicSession = z
  .object({
    id: z.uuid(),
    strategy: z.string().meta({ example: 'local' }),
    createdAt: Time,
    expiresAt: Time,
  })
  .meta({ id: 'Session' });

/** What signing in answers. */
export const Tokens = z
  .object({
    tokenType: z.literal('Bearer'),
    accessToken: z.string().meta({ description: 'Send it as `Authorization: Bearer <token>`. Its content is not part of this contract.' }),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires.', example: 600 }),
    session: PublicSession,
    user: PublicUser,
  })
  .meta({ id: 'Tokens' });

/** `user` is loaded with roles. */
export const tokensFor = (session: Session, user: User): z.input<typeof Tokens> => ({
  tokenType: 'Bearer',
  accessToken: signAccessToken(session),
  expiresIn: config.ACCESS_TOKEN_TTL,
  session,
  user: publicUser(user),
});
