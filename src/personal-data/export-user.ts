import type { Factor, User } from '#models/index';
import { NOBODY } from '#models/user';
import { listedKey } from '#src/api-keys/own-keys';
import { auditOf, visibleJson } from '#src/audit/list';
import type { Context } from '#src/context';
import { pagesOf } from '#src/personal-data/paging';
import { Problem } from '#src/platform/http/problem';
import { queuedMailsTo } from '#src/platform/mail/queued-mails';
import { methodsIn } from '#src/users/assurance';
import { findWithRoles } from '#src/users/with-roles';

/** The version of the document. It goes up when a member goes or changes its meaning, not when one is added. */
const VERSION = 1;

/** Entries that are written as one piece. */
const PIECE = 500;

type Pages = AsyncIterable<readonly object[]>;

/**
 * Everything that the server knows of a user, as the text of one JSON document, in pieces: a page of a list at a time is in
 * memory. It holds no password, secret, token, nor what is derived from one. A user who is deleted meanwhile is exported
 * as far as there still is something.
 * @throws {Problem} 404 `not_found`, before the first piece
 */
export async function exportUser(ctx: Context, userId: string): Promise<AsyncIterable<string>> {
  const user = await findWithRoles(ctx.db, { id: userId });
  if (!user) throw new Problem('not_found');
  return piecesOf(ctx, user);
}

async function* piecesOf(ctx: Context, user: User): AsyncGenerator<string> {
  const head = {
    format: 'sallyport-user-export',
    version: VERSION,
    exportedAt: ctx.clock.date(),
    user: await profileOf(ctx, user),
  };
  yield visibleJson(head).slice(0, -1);
  for (const [name, pages] of Object.entries(listsOf(ctx, user))) {
    let before = `,\n"${name}":[`;
    for await (const page of pages) {
      if (page.length === 0) continue;
      yield `${before}\n${page.map(visibleJson).join(',\n')}`;
      before = ',';
    }
    yield before === ',' ? ']' : `${before}]`;
  }
  yield '}\n';
}

async function profileOf({ db }: Context, user: User): Promise<object> {
  const { id } = user;
  const number = await db.UserNumber.findOne({ where: { userId: id } });
  return {
    id,
    number: number?.id ?? null,
    username: user.username,
    email: user.email,
    emailVerifiedAt: user.emailVerifiedAt,
    name: user.name,
    locale: user.locale,
    hasPassword: user.passwordHash !== null,
    recoveryCodesLeft: await db.RecoveryCode.count({ where: { userId: id } }),
    disabledAt: user.disabledAt,
    createdAt: user.createdAt,
    updatedAt: user.updatedAt,
  };
}

/** Every list of the document, by its name. */
function listsOf(ctx: Context, user: User): Record<string, Pages> {
  const { db } = ctx;
  const { id: userId, emailCanonical } = user;
  const own = { userId };
  const toThem = { emailCanonical: emailCanonical ?? NOBODY };
  return {
    roles: rolesOf(ctx, user),
    identities: pagesOf(db.Identity, 'id', own, (row) => ({
      id: row.id,
      provider: row.provider,
      subject: row.subject,
      email: row.email,
      createdAt: row.createdAt,
    })),
    sessions: pagesOf(db.Session, 'id', own, (row) => ({
      id: row.id,
      strategy: row.strategy,
      amr: methodsIn(row.amr),
      device: { kind: row.deviceKind, name: row.deviceName, platform: row.devicePlatform },
      userAgent: row.userAgent,
      ip: row.ip,
      createdAt: row.createdAt,
      lastSeenAt: row.lastSeenAt,
      refreshedAt: row.rotatedAt,
      authenticatedAt: row.authenticatedAt,
      twoFactorsAt: row.aal2At,
      expiresAt: row.expiresAt,
      endedAt: row.endedAt,
      updatedAt: row.updatedAt,
    })),
    factors: pagesOf(db.Factor, 'id', own, exportedFactor, ['passkey']),
    apiKeys: pagesOf(db.ApiKey, 'id', own, listedKey),
    pendingTokens: pagesOf(db.OneTimeToken, 'digest', own, (row) => ({
      purpose: row.purpose,
      createdAt: row.createdAt,
      expiresAt: row.expiresAt,
    })),
    invitationsReceived: pagesOf(db.Invitation, 'id', toThem, (row) => ({
      id: row.id,
      name: row.name,
      roles: row.roles.split(' ').filter(Boolean),
      createdAt: row.createdAt,
      expiresAt: row.expiresAt,
    })),
    invitationsSent: pagesOf(db.Invitation, 'id', { invitedBy: userId }, (row) => ({
      id: row.id,
      createdAt: row.createdAt,
      expiresAt: row.expiresAt,
    })),
    mails: queuedMailsTo(ctx, user.email),
    consents: none(),
    audit: inPages(auditOf(ctx, userId)),
  };
}

const exportedFactor = (row: Factor) => ({
  id: row.id,
  kind: row.kind,
  name: row.name,
  createdAt: row.createdAt,
  confirmedAt: row.confirmedAt,
  lastUsedAt: row.lastUsedAt,
  passkey: row.passkey
    ? {
        credentialId: row.passkey.credentialId,
        deviceType: row.passkey.deviceType,
        backedUp: row.passkey.backedUp,
        transports: row.passkey.transports.split(' ').filter(Boolean),
        aaguid: row.passkey.aaguid,
        signatures: row.passkey.counter,
      }
    : null,
});

/** The server asks for no consent. */
async function* none(): AsyncGenerator<readonly object[]> {}

async function* rolesOf({ db }: Context, { id, roles }: User): AsyncGenerator<readonly object[]> {
  const links = await db.UserRole.findAll({ where: { userId: id } });
  const since = new Map(links.map(({ roleId, createdAt }) => [roleId, createdAt]));
  yield (roles ?? []).map((role) => ({ name: role.name, since: since.get(role.id) ?? null }));
}

async function* inPages(rows: AsyncIterable<object>): AsyncGenerator<object[]> {
  let page: object[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length === PIECE) {
      yield page;
      page = [];
    }
  }
  yield page;
}
