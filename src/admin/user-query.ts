import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { SealedPage } from '#src/platform/http/cursor';
import { PlainText } from '#src/platform/text';

/** No index finds a part of a name. So one page looks at so many users at most, and the next one goes on behind them. */
export const SEARCHED_USERS = 10_000;

const bounded = `The server reads ${SEARCHED_USERS} users for each page, so a page may be short or empty: go on while there is a \`nextCursor\`.`;

const truth = z.enum(['true', 'false']).transform((text) => text === 'true');

/** Which users a list has, and in which order. */
export const UserQuery = SealedPage.extend({
  q: PlainText.max(100)
    .optional()
    .meta({
      description:
        `Part of a username or e-mail address. Every character means itself. ${bounded} ` +
        'A user whose whole username or address it is comes first, on the first page.',
    }),
  role: RoleName.optional().meta({ description: 'Only users with this role.' }),
  disabled: truth
    .optional()
    .meta({ description: `Only users who are disabled, or who are not. ${bounded}` }),
  verified: truth.optional().meta({
    description: `Only users whose e-mail address is confirmed, or all others. ${bounded}`,
  }),
  sort: z.enum(['id', '-id', 'created', '-created']).default('id').meta({
    description:
      '`id`: in the order in which they came to this server. `created`: by `createdAt`, which may be earlier for users from elsewhere. With `-` the last one comes first.',
  }),
});

export interface UserFilter {
  /** Part of a username or address. Every character means itself. */
  q?: string | undefined;
  role?: string | undefined;
  disabled?: boolean | undefined;
  /** Whether the address is confirmed. */
  verified?: boolean | undefined;
}
export type UserSort = z.output<typeof UserQuery>['sort'];
