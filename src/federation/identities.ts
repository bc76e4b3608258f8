import { v7 as uuid } from 'uuid';
import type { Identity, User } from '#models/index';
import type { Context } from '#src/context';
import { identityLinkedMail } from '#src/federation/mails';
import { parseEmail, type Identifier } from '#src/platform/email-address';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { sealGrant } from '#src/provider-grants/provider-grants';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';

/** @throws {UniqueConstraintError} if a user has this identity */
export async function addIdentity(
  ctx: Context,
  userId: string,
  profile: ProviderProfile,
): Promise<Identity> {
  const { db, events } = ctx;
  const { provider, subject, grant } = profile;
  const email = emailOf(profile)?.display ?? null;
  const sealedGrant = grant === undefined ? null : sealGrant(ctx, grant);
  const row = { id: uuid(), userId, provider, subject, email, sealedGrant };
  const identity = await db.Identity.create(row);
  events.emit('identity.linked', { userId, provider });
  return identity;
}

/** The address in a profile, if it is one: some providers send a placeholder. */
export function emailOf({ email }: ProviderProfile): Identifier | undefined {
  const found = email === undefined ? undefined : parseEmail(email);
  return found && 'canonical' in found ? found : undefined;
}

/**
 * Tells a user that they can sign in with a provider, in case somebody else linked it. Only a
 * confirmed address is told.
 */
export async function notifyIdentityLinked(
  ctx: Context,
  user: User,
  provider: string,
): Promise<void> {
  const { email, emailVerifiedAt, name } = user;
  if (!email || !emailVerifiedAt) return;
  const link = linkTo(ctx.settings, '/forgot-password');
  const mail = identityLinkedMail({ name, provider, at: ctx.clock.date(), link });
  await queueMail(ctx, email, mail, user);
}
