import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Id, Listing } from '#src/platform/http/listing';
import { del, get, put, type Route } from '#src/platform/http/route';
import { assignRole, withdrawRole } from '#src/roles/assign-role';
import { deleteRole, setRole } from '#src/roles/change-role';
import {
  etagOfRole,
  ListedRole,
  listedRole,
  listRoles,
  roleNamed,
  WholeRole,
} from '#src/roles/role';

const tag = 'Administration';
const params = z.strictObject({ role: RoleName });
const ofUser = z.strictObject({ id: Id, role: RoleName });
const RolePage = Listing(ListedRole);

/** Roles, and who has them. */
export const roleRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/roles',
    [authenticate(ctx), requirePermission('roles:read')],
    {
      operationId: 'listRoles',
      tag,
      summary: 'List roles and their permissions',
      query: SealedPage,
      returns: RolePage,
    },
    async (req) => {
      const { data, nextCursor } = await listRoles(ctx, req.query);
      return { data: data.map(listedRole), nextCursor };
    },
  ),

  get(
    '/admin/roles/:role',
    [authenticate(ctx), requirePermission('roles:read')],
    {
      operationId: 'getRole',
      tag,
      summary: 'A role and its permissions',
      params,
      returns: ListedRole,
      etag: true,
      problems: ['not_found'],
    },
    async (req, res) => {
      const role = await roleNamed(ctx, req.params.role);
      res.setHeader('ETag', etagOfRole(role));
      return listedRole(role);
    },
  ),

  put(
    '/admin/roles/:role',
    administer(ctx, 'roles:write'),
    {
      operationId: 'setRole',
      tag,
      summary: 'Create a role, or replace its permissions',
      description:
        'Whoever has the role has these permissions from the next request on. You must have every permission that it has or gets. Only with `*` you may change a role that you have. `admin` never changes.',
      params,
      body: WholeRole,
      returns: ListedRole,
      etag: true,
      problems: ['protected_role', 'conflict', 'precondition_failed'],
    },
    async (req, res) => {
      const condition = { by: req.user, ifMatch: req.headers['if-match'] };
      const role = await setRole(ctx, req.params.role, req.body, condition);
      res.setHeader('ETag', etagOfRole(role));
      return listedRole(role);
    },
  ),

  del(
    '/admin/roles/:role',
    administer(ctx, 'roles:write'),
    {
      operationId: 'deleteRole',
      tag,
      summary: 'Delete a role, and take it from everybody',
      description:
        'You must have every permission that it has. `user`, `moderator` and `admin` are never deleted. From more than 1000 users it is taken in steps: if one fails, delete it again.',
      params,
      problems: ['not_found', 'protected_role', 'precondition_failed'],
    },
    (req) => deleteRole(ctx, req.params.role, { by: req.user, ifMatch: req.headers['if-match'] }),
  ),

  put(
    '/admin/users/:id/roles/:role',
    administer(ctx, 'roles:assign'),
    {
      operationId: 'grantRole',
      tag,
      summary: 'Give a user a role',
      description:
        'From their next request on. You must have every permission of the role. Only with `*` you may give a role to yourself. It is no error if they have it.',
      params: ofUser,
      problems: ['not_found'],
    },
    async (req) => void (await assignRole(ctx, req.params.id, req.params.role, req.user)),
  ),

  del(
    '/admin/users/:id/roles/:role',
    administer(ctx, 'roles:assign'),
    {
      operationId: 'revokeRole',
      tag,
      summary: 'Take a role from a user',
      description:
        'From their next request on. You must have every permission of the role. It is no error if they do not have it. The last active administrator keeps `admin`.',
      params: ofUser,
      problems: ['not_found', 'last_admin'],
    },
    async (req) => void (await withdrawRole(ctx, req.params.id, req.params.role, req.user)),
  ),
];
