import { z } from 'zod';

const When = z.iso.datetime().meta({ example: '2026-01-31T12:00:00.000Z' });
const Maybe = When.nullable();
const Text = z.string().nullable();
const Texts = z.array(z.string());

/** The document that `exportUser` writes. */
export const UserExport = z
  .object({
    format: z.literal('sallyport-user-export'),
    version: z.literal(1).meta({
      description:
        'Goes up when a member goes or changes its meaning, not when one is added. Ignore members that you do not know.',
    }),
    exportedAt: When,
    user: z.object({
      id: z.uuid(),
      number: z
        .int()
        .nullable()
        .meta({ description: 'By which front ends know the user that need a number.' }),
      username: Text,
      email: Text,
      emailVerifiedAt: Maybe,
      name: Text,
      locale: Text,
      hasPassword: z.boolean(),
      recoveryCodesLeft: z.int(),
      disabledAt: Maybe,
      createdAt: When,
      updatedAt: When,
    }),
    roles: z.array(z.object({ name: z.string(), since: Maybe })),
    identities: z.array(
      z.object({
        id: z.uuid(),
        provider: z.string(),
        subject: z.string(),
        email: Text,
        createdAt: When,
      }),
    ),
    sessions: z
      .array(
        z.object({
          id: z.uuid(),
          strategy: z.string(),
          amr: Texts,
          device: z.object({ kind: Text, name: Text, platform: Text }),
          userAgent: Text,
          ip: Text,
          createdAt: When,
          lastSeenAt: Maybe,
          refreshedAt: Maybe,
          authenticatedAt: Maybe,
          twoFactorsAt: Maybe,
          expiresAt: When,
          endedAt: Maybe,
          updatedAt: When,
        }),
      )
      .meta({ description: 'Also those that have ended, as long as they are kept.' }),
    factors: z.array(
      z.object({
        id: z.uuid(),
        kind: z.string(),
        name: z.string(),
        createdAt: When,
        confirmedAt: Maybe,
        lastUsedAt: Maybe,
        passkey: z
          .object({
            credentialId: z.string(),
            deviceType: z.string(),
            backedUp: z.boolean(),
            transports: Texts,
            aaguid: z.string(),
            signatures: z.int(),
          })
          .nullable(),
      }),
    ),
    apiKeys: z.array(
      z.object({
        id: z.uuid(),
        name: z.string(),
        scopes: Texts,
        last4: z.string(),
        expiresAt: Maybe,
        lastUsedAt: Maybe,
        createdAt: When,
      }),
    ),
    pendingTokens: z
      .array(z.object({ purpose: z.string(), createdAt: When, expiresAt: When }))
      .meta({ description: 'Links and codes that can still be used, without what they are.' }),
    invitationsReceived: z.array(
      z.object({
        id: z.uuid(),
        name: Text,
        roles: Texts,
        createdAt: When,
        expiresAt: When,
      }),
    ),
    invitationsSent: z
      .array(z.object({ id: z.uuid(), createdAt: When, expiresAt: When }))
      .meta({ description: 'Whom they invite is not told: it is data of others.' }),
    mails: z
      .array(
        z.object({
          template: z.string(),
          subject: z.string(),
          createdAt: When,
          expiresAt: When,
        }),
      )
      .meta({ description: 'Mails that wait to be sent. No others are kept.' }),
    consents: z.array(z.string()).meta({ description: 'Always empty: the server asks for none.' }),
    audit: z
      .array(
        z.object({
          seq: z.int().nullable(),
          id: z.uuid(),
          type: z.string(),
          version: z.int(),
          actor: Text,
          actorKind: z.string(),
          onBehalfOf: Text,
          subject: Text,
          sessionId: Text,
          ip: Text,
          requestId: Text,
          details: z.record(z.string(), z.unknown()),
          createdAt: When,
        }),
      )
      .meta({
        description:
          'What the user did, and what was done to them. Who else did it, and from where, is not told.',
      }),
  })
  .meta({
    id: 'UserExport',
    description: 'Everything the server knows of a user, without passwords, secrets and tokens.',
  });
export type UserExport = z.output<typeof UserExport>;
