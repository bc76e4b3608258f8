import { z } from 'zod';
import { AdminUser, adminUser } from '#src/admin/admin-user';
import { editUser, etagOfUser, UserEdits } from '#src/admin/edit-user';
import {
  deleteUser,
  endUserSession,
  endUserSessions,
  sendPasswordReset,
  unlockUser,
} from '#src/admin/govern-user';
import { AdminUserDetails, detailsOf } from '#src/admin/show-user';
import { listUserSessions } from '#src/admin/user-sessions';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Id } from '#src/platform/http/listing';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { Problem } from '#src/platform/http/problem';
import { del, get, patch, post, type Route } from '#src/platform/http/route';
import { SessionPage } from '#src/sessions/schemas';
import { FreeUsername } from '#src/users/schemas';
import { findWithRoles } from '#src/users/with-roles';

const params = z.strictObject({ id: Id });

const FreeUserEdits = oneOfFields(
  UserEdits.extend({ username: FreeUsername.nullable().optional() }).refine(
    (edits) => Object.keys(edits).length > 0,
    { message: 'Give at least one field to change', params: { code: 'required' } },
  ),
  [['name'], ['username'], ['email'], ['disabled']],
  'anyOf',
).meta({ id: 'UserEdits' });

const PasswordResetRequest = z
  .strictObject({
    endSessions: z.boolean().optional().meta({ description: 'Every session ends at once.' }),
  })
  .meta({ id: 'PasswordResetRequest' });

const reading = (ctx: Context) => [authenticate(ctx), requirePermission('users:read')] as const;

/** One user, as administrators see and change them. */
export const adminUserRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/users/:id',
    reading(ctx),
    {
      operationId: 'getUser',
      tag: 'Administration',
      summary: 'A user, and how they sign in',
      description:
        'With their roles, second factors, providers, sessions and failed sign-ins. The `ETag` is of what `PATCH` changes.',
      params,
      returns: AdminUserDetails,
      etag: true,
      problems: ['not_found'],
    },
    async (req, res) => {
      const user = await findWithRoles(ctx.db, { id: req.params.id });
      if (!user) throw new Problem('not_found');
      res.setHeader('ETag', etagOfUser(user));
      return detailsOf(ctx, user, req.user.session?.id);
    },
  ),

  patch(
    '/admin/users/:id',
    administer(ctx, 'users:write'),
    {
      operationId: 'updateUser',
      tag: 'Administration',
      summary: 'Change a user, disable or enable them',
      description:
        'All of it, or nothing. Null removes: a username or an address must be left. Another address is unconfirmed until its owner opens the link of a mail; the old one is told, and can undo it. Your own address is changed at `POST /me/email` only. Who is disabled is signed out on the next request.',
      params,
      body: FreeUserEdits,
      returns: AdminUser,
      etag: true,
      problems: [
        'not_found',
        'username_taken',
        'email_taken',
        'last_way_in',
        'last_admin',
        'precondition_failed',
      ],
    },
    async (req, res) => {
      const condition = { by: req.user, ifMatch: req.headers['if-match'] };
      const user = await editUser(ctx, req.params.id, req.body, condition);
      res.setHeader('ETag', etagOfUser(user));
      return adminUser(user);
    },
  ),

  del(
    '/admin/users/:id',
    administer(ctx, 'users:write'),
    {
      operationId: 'deleteUser',
      tag: 'Administration',
      summary: 'Delete a user for good, with all that is theirs',
      params,
      problems: ['not_found', 'last_admin'],
    },
    (req) => deleteUser(ctx, req.params.id, req.user),
  ),

  get(
    '/admin/users/:id/sessions',
    reading(ctx),
    {
      operationId: 'listUserSessions',
      tag: 'Administration',
      summary: 'List the sessions of a user',
      params,
      query: SealedPage,
      returns: SessionPage,
      problems: ['not_found'],
    },
    (req) => listUserSessions(ctx, req.params.id, req.query, req.user.session?.id),
  ),

  del(
    '/admin/users/:id/sessions',
    administer(ctx, 'sessions:end'),
    {
      operationId: 'deleteUserSessions',
      tag: 'Administration',
      summary: 'Sign a user out everywhere',
      params,
      problems: ['not_found'],
    },
    async (req) => void (await endUserSessions(ctx, req.params.id, req.user)),
  ),

  del(
    '/admin/users/:id/sessions/:sessionId',
    administer(ctx, 'sessions:end'),
    {
      operationId: 'deleteUserSession',
      tag: 'Administration',
      summary: 'End one session of a user',
      params: params.extend({ sessionId: Id }),
      problems: ['not_found'],
    },
    (req) => endUserSession(ctx, req.params.id, req.params.sessionId, req.user),
  ),

  del(
    '/admin/users/:id/lock',
    administer(ctx, 'users:write'),
    {
      operationId: 'unlockUser',
      tag: 'Administration',
      summary: 'Let a user in whom failed sign-ins keep out',
      description: 'Forgets their failed sign-ins, also those with a wrong second factor.',
      params,
      problems: ['not_found'],
    },
    (req) => unlockUser(ctx, req.params.id, req.user),
  ),

  post(
    '/admin/users/:id/password-reset',
    administer(ctx, 'users:write'),
    {
      operationId: 'sendPasswordReset',
      tag: 'Administration',
      summary: 'Mail a user the link that sets a new password',
      description:
        'Nobody chooses a password for somebody else. The answer is 409 for a user who has no address, or is disabled.',
      params,
      body: PasswordResetRequest,
      status: 202,
      problems: ['not_found', 'conflict'],
    },
    (req) => sendPasswordReset(ctx, req.params.id, { by: req.user, signOut: req.body.endSessions }),
  ),
];
