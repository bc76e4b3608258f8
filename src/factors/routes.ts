import { z } from 'zod';
import { authenticate, requireFreshProof, requireFullAccess } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { confirmTotp, startTotp } from '#src/factors/enrol-totp';
import {
  confirmedOf,
  removeFactor,
  renameFactor,
  renewRecoveryCodes,
} from '#src/factors/own-factors';
import { recoveryCodesLeft } from '#src/factors/recovery-codes';
import {
  ConfirmedFactor,
  FactorChanges,
  FactorPage,
  ListedFactor,
  listedFactor,
  NewTotpFactor,
  PendingTotpFactor,
  RecoveryCodes,
  TotpConfirmation,
} from '#src/factors/schemas';
import { lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { Id, newestFirst, Page } from '#src/platform/http/listing';
import { limit } from '#src/platform/http/rate-limit';
import { del, get, patch, post, type Route } from '#src/platform/http/route';
import { signedInAs } from '#src/users/principal';

const tag = 'Account';
const params = z.strictObject({ id: Id });

/** For a change of how somebody signs in. Open to who must enrol a factor. */
export const guardsOfChange = (ctx: Context) =>
  [
    authenticate(ctx, { toEnrol: true }),
    requireFullAccess,
    requireFreshProof(ctx, lifetimes.freshCredentialChangeMinutes),
  ] as const;

export const factorRoutes = (ctx: Context): Route[] => [
  get(
    '/me/factors',
    [authenticate(ctx, { toEnrol: true, toActors: true })],
    {
      operationId: 'listFactors',
      tag,
      summary: 'List your second factors',
      description: 'Those that you have confirmed, and how many recovery codes are left.',
      query: Page,
      returns: FactorPage,
    },
    async (req) => {
      const { id } = req.user;
      const { data, nextCursor } = await newestFirst(ctx.db.Factor, confirmedOf(id), req.query, [
        'passkey',
      ]);
      const left = await recoveryCodesLeft(ctx, id);
      return { data: data.map(listedFactor), nextCursor, recoveryCodesLeft: left };
    },
  ),

  post(
    '/me/factors/totp',
    guardsOfChange(ctx),
    {
      operationId: 'startTotpFactor',
      tag,
      summary: 'Begin to add an authenticator app',
      description:
        'It counts when you confirm it with a code. What is not confirmed makes room for the next.',
      body: NewTotpFactor,
      returns: PendingTotpFactor,
      status: 201,
    },
    (req) => startTotp(ctx, req.user, req.body.name),
  ),

  post(
    '/me/factors/totp/:id/confirm',
    [...guardsOfChange(ctx), limit(ctx, CODE, signedInAs)],
    {
      operationId: 'confirmTotpFactor',
      tag,
      summary: 'Add the authenticator app',
      description:
        'With a code that it shows. From the next sign-in on, a second factor is asked for. This session is `aal2` now.',
      params,
      body: TotpConfirmation,
      returns: ConfirmedFactor,
      problems: ['invalid_credentials', 'not_found', 'conflict', 'factor_unreadable'],
    },
    async (req) => {
      const { params, body, user } = req;
      const { factor, recoveryCodes } = await confirmTotp(ctx, user, params.id, body.code);
      return { ...listedFactor(factor), recoveryCodes };
    },
  ),

  post(
    '/me/factors/recovery-codes',
    guardsOfChange(ctx),
    {
      operationId: 'renewRecoveryCodes',
      tag,
      summary: 'Get new recovery codes',
      description: 'Those from before are void.',
      returns: RecoveryCodes,
      problems: ['conflict'],
    },
    async (req) => ({ recoveryCodes: await renewRecoveryCodes(ctx, req.user) }),
  ),

  patch(
    '/me/factors/:id',
    guardsOfChange(ctx),
    {
      operationId: 'renameFactor',
      tag,
      summary: 'Rename a second factor',
      params,
      body: FactorChanges,
      returns: ListedFactor,
      problems: ['not_found'],
    },
    async (req) => listedFactor(await renameFactor(ctx, req.user, req.params.id, req.body.name)),
  ),

  del(
    '/me/factors/:id',
    guardsOfChange(ctx),
    {
      operationId: 'removeFactor',
      tag,
      summary: 'Remove a second factor',
      description: 'With the last one, your recovery codes go, too.',
      params,
      problems: ['not_found', 'last_factor'],
    },
    (req) => removeFactor(ctx, req.user, req.params.id),
  ),
];
