import { z } from 'zod';
import { deleteMe, updateMe } from '#src/account/me';
import { authenticate, requireFullAccess } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { inWords, lifetimes } from '#src/lifetimes';
import { limitPasswordGuess } from '#src/passwords/limits';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { del, get, patch, type Route } from '#src/platform/http/route';
import { principalOf } from '#src/users/principal';
import { FreeUsername, Name, Password, PublicUser, publicUser } from '#src/users/schemas';

const UserChanges = oneOfFields(
  z
    .strictObject({ username: FreeUsername.optional(), name: Name.nullable().optional() })
    .refine((changes) => Object.keys(changes).length > 0, {
      message: 'Give at least one field to change',
      params: { code: 'required' },
    }),
  [['username'], ['name']],
  'anyOf',
).meta({ id: 'UserChanges' });

const UserDeletion = z.strictObject({ password: Password.optional() }).meta({ id: 'UserDeletion' });

const freshTime = inWords(lifetimes.freshSignInMinutes * 60);

export const accountRoutes = (ctx: Context): Route[] => [
  get(
    '/me',
    [authenticate(ctx)],
    {
      operationId: 'getMe',
      tag: 'Account',
      summary: 'The signed-in user',
      returns: PublicUser,
    },
    (req) => publicUser(req.user),
  ),

  patch(
    '/me',
    [authenticate(ctx), requireFullAccess],
    {
      operationId: 'updateMe',
      tag: 'Account',
      summary: 'Change your names',
      body: UserChanges,
      returns: PublicUser,
      problems: ['username_taken'],
    },
    async (req) => publicUser(principalOf(await updateMe(ctx, req.user, req.body))),
  ),

  del(
    '/me',
    [authenticate(ctx), requireFullAccess, limitPasswordGuess(ctx)],
    {
      operationId: 'deleteMe',
      tag: 'Account',
      summary: 'Delete yourself for good',
      description: `With the password, or without it in the first ${freshTime} of a session. Every session ends.`,
      body: UserDeletion,
      problems: ['invalid_credentials', 'step_up_required', 'last_admin', 'busy'],
    },
    (req) => deleteMe(ctx, req.user, req.body.password),
  ),
];
