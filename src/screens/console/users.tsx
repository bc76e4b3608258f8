import { ask } from '#screens/console/access';
import { Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table } from '#screens/ui/table';
import { dateTime, t } from '#screens/ui/text';

export function Users() {
  const pages = usePages((cursor) =>
    ask('GET', '/admin/users', null, { query: cursor ? { cursor } : {} }),
  );
  return (
    <>
      <Title>{t('console.users')}</Title>
      <Card>
        <Table
          caption={t('console.users')}
          pages={pages}
          columns={[
            { title: t('console.name'), cell: (user) => user.name ?? user.username ?? user.email },
            { title: t('console.createdAt'), cell: (user) => dateTime(user.createdAt) },
          ]}
          empty={<Empty title={t('console.noUsers')} />}
        />
      </Card>
    </>
  );
}
