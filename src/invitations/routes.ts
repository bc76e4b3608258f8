import { z } from 'zod';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import { bindToKey, checkKey } from '#src/authentication/prove-key';
import { signIn } from '#src/authentication/sign-in';
import type { Context } from '#src/context';
import { acceptInvitation } from '#src/invitations/accept';
import { invite, NewInvitation, resendInvitation, revokeInvitation } from '#src/invitations/invite';
import {
  InvitationPage,
  listInvitations,
  PendingInvitation,
  pendingInvitation,
} from '#src/invitations/list';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { passwordRule } from '#src/passwords/password-policy';
import { SealedPage } from '#src/platform/http/cursor';
import { Id } from '#src/platform/http/listing';
import { limit } from '#src/platform/http/rate-limit';
import { del, get, post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { Tokens } from '#src/sessions/schemas';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { MailToken } from '#src/user-mail/mail-tokens';
import { FreeUsername, Name, Password } from '#src/users/schemas';

const params = z.strictObject({ id: Id });

const InvitationAcceptance = z
  .strictObject({
    token: MailToken,
    password: Password.optional(),
    username: FreeUsername.optional(),
    name: Name.optional(),
    device: DeviceInput.optional(),
  })
  .meta({ id: 'InvitationAcceptance' });

const reading = (ctx: Context) => [authenticate(ctx), requirePermission('users:read')] as const;

export const invitationRoutes = (ctx: Context): Route[] => [
  post(
    '/admin/users',
    administer(ctx, 'users:write'),
    {
      operationId: 'inviteUser',
      tag: 'Administration',
      summary: 'Invite somebody by mail',
      description: `The mail has a link that is good for ${inWords(lifetimes.invitationSeconds)}, once, also with SIGNUP=closed. Whoever opens it chooses a password, a passkey or a provider: nobody chooses a password for somebody else. \`roles\`: besides \`user\`. They are given if whoever invites could still give them when it is accepted.`,
      body: NewInvitation.meta({ id: 'NewInvitation' }),
      returns: PendingInvitation,
      status: 201,
      problems: ['email_taken', 'conflict'],
    },
    async (req) => pendingInvitation(await invite(ctx, req.body, req.user)),
  ),

  get(
    '/admin/invitations',
    reading(ctx),
    {
      operationId: 'listInvitations',
      tag: 'Administration',
      summary: 'List invitations that nobody has accepted',
      query: SealedPage,
      returns: InvitationPage,
    },
    (req) => listInvitations(ctx, req.query),
  ),

  post(
    '/admin/invitations/:id/resend',
    administer(ctx, 'users:write'),
    {
      operationId: 'resendInvitation',
      tag: 'Administration',
      summary: 'Send an invitation again',
      description: `Another link, which makes the one before void, and all the time anew, also for ${lifetimes.expiredInvitationDays} days after it expired. You are the inviter from then on.`,
      params,
      returns: PendingInvitation,
      problems: ['not_found', 'email_taken'],
    },
    async (req) => pendingInvitation(await resendInvitation(ctx, req.params.id, req.user)),
  ),

  del(
    '/admin/invitations/:id',
    administer(ctx, 'users:write'),
    {
      operationId: 'revokeInvitation',
      tag: 'Administration',
      summary: 'Take an invitation back',
      params,
      problems: ['not_found'],
    },
    (req) => revokeInvitation(ctx, req.params.id, req.user),
  ),

  post(
    '/auth/invitation',
    [checkKey(ctx), limit(ctx, CODE), bindToKey(ctx)],
    {
      operationId: 'acceptInvitation',
      tag: 'Authentication',
      summary: 'Accept an invitation and sign in',
      description: `With the token of the link. ${passwordRule(ctx)} Without a password, add a passkey at \`/me/factors/passkeys\` or a provider at \`/me/identities/{provider}\` in this session. Signing in with a provider, or by a code in a mail, accepts an invitation to that address, too. 409 \`email_taken\`: somebody has the address by now.`,
      body: InvitationAcceptance,
      returns: Tokens,
      status: 201,
      problems: [
        'invalid_code',
        'email_taken',
        'username_taken',
        'weak_password',
        'busy',
        'unavailable',
      ],
    },
    async (req) => {
      const { device, ...given } = req.body;
      const user = await acceptInvitation(ctx, given);
      const amr = given.password === undefined ? ['email'] : ['pwd'];
      const method = { strategy: 'invitation', amr };
      return (await signIn(ctx, { user }, deviceOf(req, device), method)).tokens;
    },
  ),
];
