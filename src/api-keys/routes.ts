import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { deleteKey, listedKey, makeKey } from '#src/api-keys/own-keys';
import { authenticate, requireFreshProof, requireFullAccess } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { Id, Listing, newestFirst, Page } from '#src/platform/http/listing';
import { del, get, post, type Route } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';

const tag = 'Account';

const NewApiKey = z
  .strictObject({
    name: PlainText.max(64).meta({ example: 'nightly backup' }),
    scopes: z
      .array(RoleName)
      .min(1)
      .max(15)
      .default(['user'])
      .meta({ description: 'Roles of yours that the key may use.' }),
    expiresIn: z.int().min(60).max(315_360_000).optional().meta({
      description: 'Lifetime in seconds. Without it, the key never expires.',
      example: 7_776_000,
    }),
  })
  .meta({ id: 'NewApiKey' });

const fields = {
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.string()),
  last4: z.string().meta({ description: 'The last four characters of the key.' }),
  expiresAt: Time.nullable(),
  lastUsedAt: Time.nullable().meta({ description: 'To the minute.' }),
  createdAt: Time,
};
const ListedKey = z.object(fields).meta({ id: 'ApiKey' });
const ApiKeyPage = Listing(ListedKey);
const CreatedKey = z
  .object({
    ...fields,
    key: z.string().meta({ description: 'Shown this once. Send it as `X-API-Key`.' }),
  })
  .meta({ id: 'CreatedApiKey' });

/** There are none unless the strategy that accepts keys is on. */
export const apiKeyRoutes = (ctx: Context): Route[] =>
  ctx.strategies.on.some(({ name }) => name === 'api-key') ? routes(ctx) : [];

const routes = (ctx: Context): Route[] => [
  get(
    '/me/api-keys',
    [authenticate(ctx, { toActors: true })],
    {
      operationId: 'listApiKeys',
      tag,
      summary: 'List your API keys',
      query: Page,
      returns: ApiKeyPage,
    },
    async (req) => {
      const own = { userId: req.user.id };
      const { data, nextCursor } = await newestFirst(ctx.db.ApiKey, own, req.query);
      return { data: data.map(listedKey), nextCursor };
    },
  ),

  post(
    '/me/api-keys',
    [
      authenticate(ctx),
      requireFullAccess,
      requireFreshProof(ctx, lifetimes.freshCredentialChangeMinutes),
    ],
    {
      operationId: 'createApiKey',
      tag,
      summary: 'Create an API key',
      body: NewApiKey,
      returns: CreatedKey,
      status: 201,
      problems: ['conflict'],
    },
    async (req) => {
      const { key, made } = await makeKey(ctx, req.user, req.body);
      return { key, ...listedKey(made) };
    },
  ),

  del(
    '/me/api-keys/:id',
    [authenticate(ctx), requireFullAccess],
    {
      operationId: 'deleteApiKey',
      tag,
      summary: 'Delete an API key',
      params: z.strictObject({ id: Id }),
      problems: ['not_found'],
    },
    (req) => deleteKey(ctx, req.user.id, req.params.id),
  ),
];
