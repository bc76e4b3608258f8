import { Op } from 'sequelize';
import { z } from 'zod';
import type { Role } from '#models/index';
import { RoleName } from '#src/access/roles';
import type { Context } from '#src/context';
import { openCursor, sealCursor, type SealedPage } from '#src/platform/http/cursor';
import { etagOf } from '#src/platform/http/etag';
import { Problem } from '#src/platform/http/problem';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';
import { Permission, permissionsIn } from '#src/users/permissions';

/** How many permissions a role may have. */
const MAX_PERMISSIONS = 100;

const permissions = z.array(Permission).max(MAX_PERMISSIONS);
/** For people. It may be empty. */
const description = z.union([z.literal(''), PlainText.max(255)]);

/** What may change of a role. What is not given stays, or is empty in a new role. */
export const RoleChanges = z.strictObject({
  description: description.optional(),
  permissions: permissions.optional(),
});
export type RoleChanges = z.output<typeof RoleChanges>;

/** A whole role, as a request gives one. */
export const WholeRole = z
  .strictObject({
    description: description.default('').meta({
      description: 'For people.',
      example: 'Reads and writes invoices',
    }),
    permissions: permissions.meta({
      description:
        '`resource:action`, `resource:*` or `*`. Your own names, or those of the server.',
      example: ['invoices:read', 'invoices:write'],
    }),
  })
  .meta({ id: 'WholeRole' });

export const ListedRole = z
  .object({
    name: RoleName,
    description: z.string(),
    permissions: z.array(z.string()).meta({
      description: 'In alphabetical order.',
      example: ['invoices:read', 'invoices:write'],
    }),
    createdAt: Time,
  })
  .meta({ id: 'Role' });

/** A role as administrators and operators see it. */
export const listedRole = ({
  name,
  description,
  permissions,
  createdAt,
}: Role): z.input<typeof ListedRole> => ({
  name,
  description,
  permissions: permissionsIn(permissions),
  createdAt,
});

export const etagOfRole = ({ id, description, permissions }: Role): string =>
  etagOf([id, description, permissions]);

/** @throws {Problem} 404 `not_found` */
export async function roleNamed({ db }: Pick<Context, 'db'>, name: string): Promise<Role> {
  const role = await db.Role.findOne({ where: { name } });
  if (!role) throw new Problem('not_found');
  return role;
}

const LIST = ['roles'];

/**
 * One page of roles, by name.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list
 */
export async function listRoles(ctx: Context, { limit, cursor }: SealedPage) {
  const [after] = cursor === undefined ? [''] : openCursor(ctx, LIST, cursor);
  const where = { name: { [Op.gt]: after! } };
  const found = await ctx.db.Role.findAll({ where, order: ['name'], limit: limit + 1 });
  const data = found.slice(0, limit);
  const isMore = found.length > limit;
  return { data, nextCursor: isMore ? sealCursor(ctx, LIST, [data.at(-1)!.name]) : null };
}
