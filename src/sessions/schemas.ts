import { z } from 'zod';
import type { Session } from '#models/index';
import { Listing } from '#src/platform/http/listing';
import { Time } from '#src/platform/http/time';
import { deviceLabel } from '#src/sessions/device';
import { proofOf } from '#src/users/assurance';
import { PublicUser } from '#src/users/schemas';

const publicSessionFields = {
  id: z.uuid(),
  strategy: z.string().meta({ example: 'local' }),
  createdAt: Time,
  expiresAt: Time.meta({ description: 'When it ends unless it is refreshed before.' }),
  amr: z.array(z.string()).meta({
    description:
      'How the user proved who they are (RFC 8176): `pwd`, `otp`, `hwk`, `user`, `mfa`, `fed` and others. Empty for a session that began before this was stored, and for one in which an administrator acts for the user.',
    example: ['pwd', 'otp', 'mfa'],
  }),
  acr: z.enum(['aal1', 'aal2']).meta({ description: '`aal2` after two factors.' }),
  authTime: Time.meta({ description: 'When the user last proved what `acr` says.' }),
};
const PublicSession = z.object(publicSessionFields).meta({ id: 'Session' });

/** A session as its owner sees it in a list. */
export const ListedSession = z
  .object({
    ...publicSessionFields,
    device: z.object({
      kind: z.string().nullable(),
      name: z.string().nullable().meta({ example: 'Firefox on Linux' }),
      platform: z.string().nullable().meta({ example: 'Linux' }),
    }),
    ip: z
      .string()
      .nullable()
      .meta({ description: 'The address that started it or last refreshed it.' }),
    lastSeenAt: Time.meta({ description: 'To the minute.' }),
    current: z.boolean().meta({ description: 'Whether it is the session of this request.' }),
    impersonation: z
      .object({
        actor: z.object({ id: z.uuid(), name: z.string().nullable() }),
        reason: z.string(),
      })
      .nullable()
      .meta({
        description:
          'The administrator who acts for the user in this session, and why. Null: the user signed in.',
      }),
  })
  .meta({ id: 'ListedSession' });

export const SessionPage = Listing(ListedSession);

/** `current`: id of the session of this request. */
export const listedSession = (
  session: Session,
  current: string | undefined,
): z.input<typeof ListedSession> => ({
  id: session.id,
  strategy: session.strategy,
  createdAt: session.createdAt,
  expiresAt: session.expiresAt,
  ...proofOf(session),
  device: deviceLabel(session),
  ip: session.ip,
  lastSeenAt: session.lastSeenAt ?? session.createdAt,
  current: session.id === current,
  impersonation: session.actorId === null ? null : impersonationOf(session),
});

const impersonationOf = ({ actorId, actorName, actorReason }: Session) => ({
  actor: { id: actorId!, name: actorName },
  reason: actorReason ?? '',
});

/** The answer to a sign-in or refresh. */
export const Tokens = z
  .object({
    tokenType: z.enum(['Bearer', 'DPoP']).meta({
      description:
        '`DPoP` if the sign-in came with a proof of possession (RFC 9449): then each request needs one.',
    }),
    accessToken: z.string().meta({
      description:
        'Send it as `Authorization: <tokenType> <token>`. Its content is not part of this contract.',
    }),
    expiresIn: z
      .int()
      .meta({ description: 'Seconds until the access token expires.', example: 600 }),
    refreshToken: z.string().optional().meta({
      description:
        'For `POST /auth/refresh`, once. Opaque: its content is not part of this contract. It is left out with `X-Refresh-Token: cookie`: then it is a cookie that no script can read.',
    }),
    refreshExpiresIn: z.int().meta({
      description: 'Seconds until the session ends if it is not refreshed.',
      example: 1_209_600,
    }),
    session: PublicSession,
    user: PublicUser,
  })
  .meta({ id: 'Tokens' });

/** Characters. */
export const MAX_REFRESH_TOKEN = 1024;
const RefreshToken = z.string().min(1).max(MAX_REFRESH_TOKEN);

export const RefreshInput = z
  .strictObject({
    refreshToken: RefreshToken.optional().meta({
      description: 'Required, but with `X-Refresh-Token: cookie`: then it must be left out.',
    }),
  })
  .meta({ id: 'RefreshInput' });

export const SignOutInput = z
  .strictObject({
    refreshToken: RefreshToken.optional(),
    scope: z.enum(['session', 'others', 'all']).default('session'),
  })
  .meta({ id: 'SignOutInput' });
