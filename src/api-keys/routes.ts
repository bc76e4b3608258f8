import { z } from 'zod';
import { ApiKey } from '#models/index';
import { RoleName } from '#src/access/roles';
import { deleteKey, makeKey } from '#src/api-keys/mine';
import { Id, Listing, newestFirst, Page } from '#src/core/listing';
import { PlainText } from '#src/core/text';
import { Time } from '#src/core/time';
import { requireFresh, requireFullAccess } from '#src/http/guards';
import { authenticate, type Loaded } from '#src/http/passport';
import { del, get, post } from '#src/http/route';

const tag = 'Being in';

const NewKey = z
  .strictObject({
    name: PlainText.max(64).meta({ example: 'nightly backup' }),
    scopes: z.array(RoleName).min(1).max(15).default(['user']).meta({ description: 'Roles of yours that it may use.' }),
    expiresIn: z
      .int()
      .min(60)
      .max(315_360_000)
      .optional()
      .meta({ description: 'Seconds. Without it, it never expires.', example: 7_776_000 }),
  })
  .meta({ id: 'NewApiKey' });

const fields = {
  id: z.uuid(),
  name: z.string(),
  scopes: z.array(z.string()),
  ending: z.string().meta({ description: 'Its last characters.' }),
  expiresAt: Time.nullable(),
  lastUsedAt: Time.nullable().meta({ description: 'To the minute.' }),
  createdAt: Time,
};
const ListedKey = z.object(fields).meta({ id: 'ApiKey' });
const MadeKey = z
  .object({ ...fields, key: z.string().meta({ description: 'Shown this once: send it as `X-API-Key`.' }) })
  .meta({ id: 'MadeApiKey' });

const listed = (key: ApiKey): z.input<typeof ListedKey> => ({
  id: key.id,
  name: key.name,
  scopes: key.scopes.split(' '),
  ending: key.ending,
  expiresAt: key.expiresAt ?? null,
  lastUsedAt: key.lastUsedAt ?? null,
  createdAt: key.createdAt,
});

const routes = [
  get('/me/api-keys', [authenticate()], { tag, summary: 'Your API keys', query: Page, returns: Listing(ListedKey) }, async (req) => {
    const { data, nextCursor } = await newestFirst(ApiKey, { userId: req.user.id }, req.query);
    return { data: data.map(listed), nextCursor };
  }),

  post(
    '/me/api-keys',
    [authenticate(), requireFullAccess, requireFresh(60)],
    { tag, summary: 'Make an API key', body: NewKey, returns: MadeKey, status: 201, problems: ['conflict'] },
    async (req) => {
      const { key, made } = await makeKey(req.user, req.body);
      return { key, ...listed(made) };
    },
  ),

  del(
    '/me/api-keys/:id',
    [authenticate(), requireFullAccess],
    { tag, summary: 'Delete an API key', params: z.strictObject({ id: Id }), problems: ['not_found'] },
    (req) => deleteKey(req.user.id, req.params.id),
  ),
];

/** There are keys to make while there is a strategy that takes them. */
export const apiKeyRoutes = ({ on }: Loaded) => (on.some(({ name }) => name === 'api-key') ? routes : []);
