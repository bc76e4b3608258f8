import { useLocation } from 'preact-iso';
import type { AdminUser } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badges, Badge } from '#screens/console/badges';
import { Filters, readQuery, type UserQuery } from '#screens/console/filters';
import { Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { dateTime, t } from '#screens/ui/text';

/** What a user is called here: a name that they chose, or one that they cannot be without. */
export const calledAs = ({ name, username, email, id }: AdminUser): string =>
  name ?? username ?? email ?? id;

export const State = ({ user }: { user: AdminUser }) => (
  <Badges>
    {user.disabled ? (
      <Badge kind="bad">{t('console.users.disabled')}</Badge>
    ) : (
      <Badge kind="good">{t('console.users.active')}</Badge>
    )}
    {user.email !== null && !user.emailVerified && <Badge>{t('console.users.unverified')}</Badge>}
  </Badges>
);

const COLUMNS: readonly Column<AdminUser>[] = [
  {
    title: t('console.users.user'),
    cell: (user) => {
      const others = [user.username, user.email].filter((each) => each && each !== calledAs(user));
      return (
        <div class="person">
          <a href={pathTo('console', `users/${user.id}`)}>{calledAs(user)}</a>
          {others.length > 0 && <span class="note">{others.join(' · ')}</span>}
        </div>
      );
    },
  },
  {
    title: t('console.users.roles'),
    cell: ({ roles }) => (
      <Badges>
        {roles.map((role) => (
          <Badge key={role}>{role}</Badge>
        ))}
      </Badges>
    ),
  },
  { title: t('console.users.state'), cell: (user) => <State user={user} /> },
  {
    title: t('console.users.createdAt'),
    cell: ({ createdAt }) => <time dateTime={createdAt}>{dateTime(createdAt)}</time>,
  },
];

export function Users() {
  const { query } = useLocation();
  const asked = readQuery(query);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/users', null, { query: { ...asked, cursor } }),
    [JSON.stringify(asked)],
  );
  return (
    <>
      <Title>{t('console.users.title')}</Title>
      <Filters asked={asked} />
      <Card>
        <Table
          caption={t('console.users.title')}
          pages={pages}
          columns={COLUMNS}
          empty={<Nobody asked={asked} />}
        />
      </Card>
    </>
  );
}

function Nobody({ asked: { q, role, disabled, verified } }: { asked: UserQuery }) {
  const { may } = useAccess();
  const isFiltered = [q, role, disabled, verified].some((each) => each !== undefined);
  return isFiltered ? (
    <Empty title={t('console.users.noneFound')}>
      <p>{t('console.users.noneFoundHelp')}</p>
      <a href={pathTo('console', 'users')}>{t('console.users.showAll')}</a>
    </Empty>
  ) : (
    <Empty title={t('console.users.none')}>
      {may('users:write') && (
        <a href={pathTo('console', 'invitations')}>{t('console.invitations.invite')}</a>
      )}
    </Empty>
  );
}
