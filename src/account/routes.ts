import { z } from 'zod';
import { deleteMe, updateMe } from '#src/account/me';
import {
  authenticate,
  requireFactorProof,
  requireFreshProof,
  requireFullAccess,
} from '#src/authentication/guards';
import type { Context } from '#src/context';
import { exportUser } from '#src/personal-data/export-user';
import { EXPORT } from '#src/personal-data/limits';
import { UserExport } from '#src/personal-data/user-export';
import { inWords, lifetimes } from '#src/lifetimes';
import { limitPasswordGuess } from '#src/passwords/limits';
import { oneOfFields } from '#src/platform/http/one-of-fields';
import { limit } from '#src/platform/http/rate-limit';
import { del, get, patch, type Route } from '#src/platform/http/route';
import { sendPieces } from '#src/platform/http/send-pieces';
import { oncePer } from '#src/platform/once-per';
import { principalOf, signedInAs, type Principal } from '#src/users/principal';
import { FreeUsername, Name, Password, OwnUser, ownUser, UserLocale } from '#src/users/schemas';

const UserChanges = oneOfFields(
  z
    .strictObject({
      username: FreeUsername.optional(),
      name: Name.nullable().optional(),
      locale: UserLocale.nullable().optional(),
    })
    .refine((changes) => Object.keys(changes).length > 0, {
      message: 'Give at least one field to change',
      params: { code: 'required' },
    }),
  [['username'], ['name'], ['locale']],
  'anyOf',
).meta({ id: 'UserChanges' });

/** Every URL parser makes `/me/` of `/me/sessions/..`: a request without a body must delete nobody. */
const UserDeletion = oneOfFields(
  z
    .strictObject({ password: Password.optional(), confirm: z.literal('delete').optional() })
    .refine((proof) => Object.keys(proof).length > 0, {
      message: 'Give your password, or confirm with the word delete',
      params: { code: 'required' },
    }),
  [['password'], ['confirm']],
  'anyOf',
).meta({ id: 'UserDeletion' });

const freshTime = inWords(lifetimes.freshSignInMinutes * 60);

function getMe(ctx: Context): Route {
  // A principal never changes, and the requests of a session share it.
  const answerFor = oncePer((user: Principal) => Object.freeze(ownUser(user)));
  return get(
    '/me',
    [authenticate(ctx, { toEnrol: true, toActors: true })],
    {
      operationId: 'getMe',
      tag: 'Account',
      summary: 'The signed-in user',
      returns: OwnUser,
    },
    (req) => answerFor(req.user),
  );
}

export const accountRoutes = (ctx: Context): Route[] => [
  getMe(ctx),

  get(
    '/me/export',
    [
      authenticate(ctx),
      requireFullAccess,
      requireFreshProof(ctx, lifetimes.freshSignInMinutes),
      limit(ctx, EXPORT, signedInAs),
    ],
    {
      operationId: 'exportMe',
      tag: 'Account',
      summary: 'Export everything the server knows of you',
      description:
        'One JSON document, without passwords, secrets and tokens. It has no Content-Length. An answer that breaks off is not whole: ask again. `POST /auth/reauthenticate` makes an older session fresh.',
      returns: UserExport,
    },
    async (req, res) => {
      const pieces = await exportUser(ctx, req.user.id);
      res.attachment('export.json');
      await sendPieces(res, 'application/json', pieces);
      return undefined as never; // it is sent
    },
  ),

  patch(
    '/me',
    [authenticate(ctx), requireFullAccess],
    {
      operationId: 'updateMe',
      tag: 'Account',
      summary: 'Change your names and your language',
      description: '`locale`: one of ours; null for the language of the browser.',
      body: UserChanges,
      returns: OwnUser,
      problems: ['username_taken'],
    },
    async (req) => ownUser(principalOf(await updateMe(ctx, req.user, req.body))),
  ),

  del(
    '/me',
    [
      authenticate(ctx),
      requireFullAccess,
      requireFactorProof(ctx, lifetimes.freshCredentialChangeMinutes),
      limitPasswordGuess(ctx),
    ],
    {
      operationId: 'deleteMe',
      tag: 'Account',
      summary: 'Delete yourself for good',
      description:
        `With the password, or with \`{ "confirm": "delete" }\` in the first ${freshTime} of a session. ` +
        'Every session ends. A request without a body deletes nothing.',
      body: UserDeletion,
      problems: ['invalid_credentials', 'step_up_required', 'last_admin', 'busy'],
    },
    (req) => deleteMe(ctx, req.user, req.body.password),
  ),
];
