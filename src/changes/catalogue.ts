import { z } from 'zod';
import type { AuditEntry } from '#models/index';
import { shownEntry } from '#src/audit/read';
import type { EventMap } from '#src/events';
import { Time } from '#src/platform/http/time';

/**
 * The events that change what another service may have kept about a session: whether it lives, whose it is, how it was
 * proved, what its user may do, and which keys sign its tokens. A session that expires has none.
 */
export const CHANGES = [
  'factor.added',
  'factor.removed',
  'factors.reset',
  'identity.linked',
  'identity.unlinked',
  'key.made',
  'role.changed',
  'role.deleted',
  'role.granted',
  'role.revoked',
  'session.ended',
  'session.reauthenticated',
  'user.deleted',
  'user.disabled',
  'user.email_changed',
  'user.email_restored',
  'user.email_verified',
  'user.password_changed',
  'user.taken_over',
  'user.updated',
] as const satisfies readonly (keyof EventMap)[];

const about = (description: string) => z.string().optional().meta({ description });

export const Change = z
  .object({
    type: z
      .string()
      .meta({ description: 'The event. There may be more.', example: 'role.revoked' }),
    at: Time.meta({ description: 'When it happened.' }),
    sessionId: about('The session that it is about.'),
    userId: about('The user whom it is about: all their sessions.'),
    role: about('The role. Without `userId`: everybody who has it.'),
  })
  .meta({ id: 'Change' });

/** What is told of an entry of the audit trail. Who did it, and from where, is not. */
export function changeOf(row: AuditEntry): z.input<typeof Change> {
  const { type, subject, sessionId, details, createdAt } = shownEntry(row);
  const { role } = details;
  return {
    type,
    at: createdAt,
    // Any other event has the session of whoever caused it.
    ...(type.startsWith('session.') && sessionId !== null && { sessionId }),
    ...(subject !== null && { userId: subject }),
    ...(typeof role === 'string' && { role }),
  };
}
