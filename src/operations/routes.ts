import { z } from 'zod';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import { settingsOf } from '#src/authentication/strategy-settings';
import type { Context } from '#src/context';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { dropMail, listMails, retryMail } from '#src/operations/mail-queue';
import { shownSettings } from '#src/operations/shown-settings';
import {
  NextKey,
  QueuedMail,
  Rotation,
  Settings,
  Stats,
  StatsQuery,
} from '#src/operations/schemas';
import { readStats } from '#src/operations/stats';
import { SealedPage } from '#src/platform/http/cursor';
import { Id, Listing } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';
import { del, get, post, type Route } from '#src/platform/http/route';
import { requireLivePermission } from '#src/sessions/require-live-permission';

const tag = 'Administration';

export const operationRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/stats',
    [authenticate(ctx), requirePermission('server:read')],
    {
      operationId: 'getStats',
      tag,
      summary: 'Count users, sessions, sign-ins and limits that were reached',
      query: StatsQuery,
      returns: Stats,
    },
    (req) => readStats(ctx, req.query.days, req.query.hours),
  ),

  get(
    '/admin/settings',
    [authenticate(ctx), requirePermission('server:read')],
    {
      operationId: 'getSettings',
      tag,
      summary: 'List the settings in force',
      description: 'Of a secret nothing is told but whether it is set.',
      returns: Settings,
    },
    () => {
      const { on, off } = ctx.strategies;
      return { data: shownSettings(ctx.settings, [...on, ...off].flatMap(settingsOf)) };
    },
  ),

  post(
    '/admin/keys/rotate',
    administer(ctx, 'keys:rotate'),
    {
      operationId: 'rotateKeys',
      tag,
      summary: 'Make the next signing key',
      body: Rotation,
      returns: NextKey,
      problems: ['no_signing_keys'],
    },
    async ({ user, body: { now } }) => {
      if (ctx.settings.jwtAlg === 'HS256') throw new Problem('no_signing_keys');
      const next = await ctx.db.transaction(async () => {
        await requireLivePermission(ctx, user, 'keys:rotate');
        return now ? replaceKeys(ctx) : rotateKeys(ctx);
      });
      await tendKeys(ctx); // this instance knows it at once
      if (!next) return { kid: null, signsFrom: ctx.clock.date() };
      return { kid: next.row.kid, signsFrom: new Date(next.signsFrom) };
    },
  ),

  get(
    '/admin/mails',
    [authenticate(ctx), requirePermission('mails:read')],
    {
      operationId: 'listMails',
      tag,
      summary: 'List the mails that wait to be sent',
      description: 'Never what they say, nor to whom.',
      query: SealedPage,
      returns: Listing(QueuedMail),
    },
    (req) => listMails(ctx, req.query),
  ),

  post(
    '/admin/mails/:id/retry',
    [authenticate(ctx), requirePermission('mails:retry')],
    {
      operationId: 'retryMail',
      tag,
      summary: 'Send a mail now that waits for its next attempt',
      description: 'One that is due within minutes, or is being sent, stays as it is.',
      params: z.strictObject({ id: Id }),
      returns: QueuedMail,
      problems: ['not_found'],
    },
    ({ user, params: { id } }) =>
      ctx.db.transaction(async () => {
        await requireLivePermission(ctx, user, 'mails:retry');
        return retryMail(ctx, id);
      }),
  ),

  del(
    '/admin/mails/:id',
    [authenticate(ctx), requirePermission('mails:drop')],
    {
      operationId: 'dropMail',
      tag,
      summary: 'Delete a mail that is not to be sent',
      params: z.strictObject({ id: Id }),
      problems: ['not_found'],
    },
    ({ user, params: { id } }) =>
      ctx.db.transaction(async () => {
        await requireLivePermission(ctx, user, 'mails:drop');
        await dropMail(ctx, id);
      }),
  ),
];
