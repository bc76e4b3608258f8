import { z } from 'zod';
import { requireEnrolled } from '#src/authentication/enrolment';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { verifyAccessToken, type Claims } from '#src/sessions/access-tokens';
import { resumeStored } from '#src/sessions/resume';
import type { FoundSession } from '#src/sessions/find-session';
import type { ReadSession } from '#src/sessions/session-cache';

const text = z.string().optional();
const time = z.int().optional();
const list = z.array(z.string()).optional();

/** RFC 7662 §2.2. Everything but `active` is missing for a token that lets nobody in. */
export const Introspection = z
  .object({
    active: z.boolean(),
    token_type: z.enum(['Bearer', 'DPoP']).optional(),
    iss: text,
    aud: text,
    sub: text.meta({ description: 'Id of the user.' }),
    sid: text.meta({ description: 'Id of the session.' }),
    iat: time,
    exp: time,
    username: text,
    email: text,
    email_verified: z.boolean().optional(),
    roles: list,
    permissions: list,
    scope: text.meta({ description: 'The permissions, with a space between two (RFC 6749 §3.3).' }),
    amr: list,
    acr: text,
    auth_time: time,
    act: z
      .object({ sub: z.string() })
      .optional()
      .meta({ description: 'The administrator who acts for the user (RFC 8693 §4.1).' }),
    cnf: z
      .object({ jkt: z.string() })
      .optional()
      .meta({ description: 'Thumbprint of the key that the token is bound to (RFC 9449 §6.2).' }),
  })
  .meta({ id: 'Introspection' });
type Introspection = z.input<typeof Introspection>;

/** It says no more: not whether a token has expired, was signed out or never existed (RFC 7662 §2.2). */
export const INACTIVE: Introspection = Object.freeze({ active: false });

/** Longest access token that is looked at, in characters. */
const MAX_TOKEN = 4096;

/**
 * What an access token is good for now: as every guard here says, by the same one query, and as a use of its session. Who
 * must enrol a second factor first is let in nowhere else either.
 */
export async function introspect(ctx: Context, token: string): Promise<Introspection> {
  if (token.length > MAX_TOKEN) return INACTIVE;
  try {
    const claims = await verifyAccessToken(ctx, token);
    const found = await resumeStored(ctx, claims);
    requireEnrolled(ctx, found.principal, undefined);
    return activeOf(claims, found);
  } catch (error) {
    if (error instanceof Problem && (error.status === 401 || error.status === 403)) return INACTIVE;
    throw error;
  }
}

function activeOf({ iss, aud, iat, exp, act, cnf }: Claims, found: ReadSession): Introspection {
  const { principal, actor } = found;
  const { id, username, email, emailVerified, roles, permissions, session } = principal;
  return {
    active: true,
    token_type: cnf ? 'DPoP' : 'Bearer',
    iss,
    aud,
    sub: id,
    sid: session!.id,
    iat,
    exp: Math.min(exp, ...[found, ...(actor ? [actor] : [])].map(endOf)),
    ...(username !== null && { username }),
    ...(email !== null && { email, email_verified: emailVerified }),
    roles: [...roles],
    permissions: [...permissions],
    scope: permissions.join(' '),
    amr: [...session!.amr],
    acr: session!.acr,
    auth_time: Math.floor(session!.authTime),
    ...(act && { act }),
    ...(cnf && { cnf }),
  };
}

/** A session may expire before its token. */
const endOf = ({ session }: FoundSession): number => Math.floor(session.expiresAt.getTime() / 1000);
