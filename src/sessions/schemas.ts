import { z } from 'zod';
import type { Session, User } from '#models/index';
import { config } from '#src/config';
import { Time } from '#src/core/time';
import { knownAs } from '#src/sessions/device';
import { refreshTokenOf } from '#src/sessions/refresh-tokens';
import { signAccessToken } from '#src/sessions/tokens';
import { PublicUser, publicUser } from '#src/users/schemas';

const publicSessionFields = {
  id: z.uuid(),
  strategy: z.string().meta({ example: 'local' }),
  createdAt: Time,
  expiresAt: Time.meta({ description: 'When it ends unless it is refreshed before.' }),
};
const PublicSession = z.object(publicSessionFields).meta({ id: 'Session' });

/** One of several, as its owner sees it in a list. */
export const ListedSession = z
  .object({
    ...publicSessionFields,
    device: z.object({
      kind: z.string().nullable(),
      name: z.string().nullable().meta({ example: 'Firefox on Linux' }),
      platform: z.string().nullable().meta({ example: 'Linux' }),
    }),
    ip: z.string().nullable().meta({ description: 'Where it was started or last refreshed.' }),
    lastSeenAt: Time.meta({ description: 'To the minute.' }),
    current: z.boolean().meta({ description: 'Whether it is the one that asks.' }),
  })
  .meta({ id: 'ListedSession' });

export const listedSession = (session: Session, current: string | undefined): z.input<typeof ListedSession> => ({
  id: session.id,
  strategy: session.strategy,
  createdAt: session.createdAt,
  expiresAt: session.expiresAt,
  device: knownAs(session),
  ip: session.ip,
  lastSeenAt: session.lastSeenAt ?? session.createdAt,
  current: session.id === current,
});

/** What signing in and refreshing answer. */
export const Tokens = z
  .object({
    tokenType: z.literal('Bearer'),
    accessToken: z.string().meta({ description: 'Send it as `Authorization: Bearer <token>`. Its content is not part of this contract.' }),
    expiresIn: z.int().meta({ description: 'Seconds until the access token expires.', example: 600 }),
    refreshToken: z.string().meta({
      description: 'For `POST /auth/refresh`, once. Opaque: its content is not part of this contract.',
    }),
    refreshExpiresIn: z.int().meta({ description: 'Seconds until the session ends if it is not refreshed.', example: 1_209_600 }),
    session: PublicSession,
    user: PublicUser,
  })
  .meta({ id: 'Tokens' });

/** `user` is loaded with roles. */
export const tokensFor = (session: Session, user: User): z.input<typeof Tokens> => ({
  tokenType: 'Bearer',
  accessToken: signAccessToken(session),
  expiresIn: config.ACCESS_TOKEN_TTL,
  refreshToken: refreshTokenOf(session),
  refreshExpiresIn: Math.max(0, Math.round((session.expiresAt.getTime() - Date.now()) / 1000)),
  session,
  user: publicUser(user),
});
