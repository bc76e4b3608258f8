import { z, type ZodType } from 'zod';
import type { EventMap } from '#src/events';

/** Version of the schemas below. A field may be added to a version; anything else is a new one. */
const VERSION = 1;

const userId = z.uuid();
const sessionId = z.uuid();
const word = z.string();
const time = z.iso.datetime();
const ofUser = z.object({ userId });
const ofFactor = z.object({ userId, factorId: z.uuid(), kind: word });
const ofProvider = z.object({ userId, provider: word });
const ofKey = z.object({ userId, apiKeyId: z.uuid() });
const ofGrant = z.object({ userId, role: word });
const proof = { amr: z.array(word), acr: word, authTime: time };

/**
 * The events that webhooks are told, and what is told of each: ids and plain words. Addresses of clients, names and
 * e-mail addresses are never among them.
 */
export const published = {
  'user.registered': ofUser,
  'user.imported': ofUser,
  'user.updated': ofUser,
  'user.deleted': ofUser,
  'user.password_changed': ofUser,
  'user.email_verified': ofUser,
  'user.email_changed': ofUser,
  'user.email_restored': ofUser,
  'user.disabled': ofUser,
  'user.enabled': ofUser,
  'user.unlocked': ofUser,
  'user.password_reset_sent': ofUser,
  'user.taken_over': ofProvider,
  'identity.linked': ofProvider,
  'identity.unlinked': ofProvider,
  'api_key.made': ofKey,
  'api_key.deleted': ofKey,
  'factor.added': ofFactor,
  'factor.renamed': ofFactor,
  'factor.removed': ofFactor,
  'factors.reset': z.object({ userId, factors: z.int() }),
  'recovery_codes.renewed': ofUser,
  'recovery_code.used': ofUser,
  'passkey.copied': z.object({ userId, factorId: z.uuid() }),
  'invitation.accepted': z.object({ invitationId: z.uuid(), userId }),
  'role.created': z.object({ role: word }),
  'role.changed': z.object({ role: word, added: z.array(word), removed: z.array(word) }),
  'role.deleted': z.object({ role: word, users: z.int() }),
  'role.granted': ofGrant,
  'role.revoked': ofGrant,
  'session.started': z.object({ userId, sessionId, strategy: word, ...proof }),
  'session.new_device': z.object({ userId, sessionId, strategy: word }),
  'session.ended': z.object({ userId, sessionId, why: word }),
  'session.reauthenticated': z.object({ userId, sessionId, ...proof }),
  'session.reused': z.object({ userId, sessionId }),
} as const satisfies Partial<Record<keyof EventMap, ZodType>>;

/** What `POST /admin/webhooks/{id}/test` sends. */
const TEST_TYPE = 'webhook.test';
const test = z.object({ webhookId: z.uuid() });

type PublishedType = keyof typeof published;
const isPublished = (type: string): type is PublishedType => Object.hasOwn(published, type);

/** Schemas of the body of each type, the test included. */
export const bodySchemas = (): Record<string, ZodType> =>
  Object.fromEntries(
    Object.entries({ ...published, [TEST_TYPE]: test }).map(([type, data]) => [
      type,
      z
        .object({
          id: z.uuid().meta({ description: 'The same as the header `webhook-id`.' }),
          type: z.literal(type),
          version: z.literal(VERSION),
          timestamp: time.meta({ description: 'When it happened.' }),
          data,
        })
        .meta({ id: componentOf(type) }),
    ]),
  );

/** `UserRegisteredEvent` for `user.registered`. */
const componentOf = (type: string): string =>
  `${type.replaceAll(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}Event`;

/** The filter that a webhook has for types: a type, `user.*` for all that begin so, or `*`. */
export const isTypeFilter = (filter: string): boolean => {
  if (filter === '*' || isPublished(filter)) return true;
  return filter.endsWith('.*') && Object.keys(published).some((type) => matches(filter, type));
};

const matches = (filter: string, type: string): boolean =>
  filter === '*' ||
  filter === type ||
  (filter.endsWith('.*') && type.startsWith(filter.slice(0, -1)));

/** True if a webhook with these filters, separated by a space, wants events of this type. */
export const wants = (filters: string, type: string): boolean =>
  filters.split(' ').some((filter) => matches(filter, type));

export interface PublishedEvent {
  id: string;
  type: string;
  at: Date;
  details: object;
}

/** What webhooks are told of an event. Undefined if they are told nothing. @throws {z.ZodError} */
export function publish({ id, type, at, details }: PublishedEvent) {
  if (!isPublished(type)) return undefined;
  const data: Record<string, unknown> = published[type].parse(details);
  const about = [data['userId'], data['role'], id];
  return {
    ...messageOf(id, type, at, data),
    subject: about.find((each) => typeof each === 'string')!,
  };
}

/** The event with which a webhook is tried. */
export const testMessage = (id: string, at: Date, webhookId: string) => ({
  ...messageOf(id, TEST_TYPE, at, { webhookId }),
  subject: id,
});

const messageOf = (id: string, type: string, at: Date, data: object) => ({
  eventId: id,
  type,
  body: JSON.stringify({ id, type, version: VERSION, timestamp: at.toISOString(), data }),
});
