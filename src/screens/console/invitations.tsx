import { useState } from 'preact/hooks';
import type { Invitation } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge, Badges } from '#screens/console/badges';
import { Invite } from '#screens/console/invite';
import { Action } from '#screens/ui/action';
import { Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { dateTime, t } from '#screens/ui/text';

const COLUMNS: readonly Column<Invitation>[] = [
  {
    title: t('console.users.email'),
    cell: ({ email, name }) => (
      <div class="person">
        <span>{email}</span>
        {name && <span class="note">{name}</span>}
      </div>
    ),
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
  {
    title: t('console.invitations.goodUntil'),
    cell: ({ expiresAt }) =>
      Date.parse(expiresAt) > Date.now() ? (
        dateTime(expiresAt)
      ) : (
        <Badge kind="bad">{t('console.invitations.expired')}</Badge>
      ),
  },
];

export function Invitations() {
  const { may } = useAccess();
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((now) => now + 1);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/invitations', null, { query: { cursor } }),
    [version],
  );
  const actions: Column<Invitation> = {
    title: t('console.users.action'),
    cell: ({ id, email }) => (
      <div class="actions">
        <Action
          label={t('console.invitations.resend')}
          said={t('console.invitations.sent')}
          done={changed}
          send={() => ask('POST', '/admin/invitations/{id}/resend', null, { params: { id } })}
        >
          <p>{t('console.invitations.resendWhat', { email })}</p>
        </Action>
        <Action
          label={t('console.invitations.revoke')}
          kind="danger"
          done={changed}
          send={() => ask('DELETE', '/admin/invitations/{id}', null, { params: { id } })}
        >
          <p>{t('console.invitations.revokeWhat', { email })}</p>
        </Action>
      </div>
    ),
  };
  return (
    <>
      <Title>{t('console.invitations.title')}</Title>
      {may('users:write') && <Invite done={changed} />}
      <Card title={t('console.invitations.pending')}>
        <Table
          caption={t('console.invitations.pending')}
          pages={pages}
          columns={may('users:write') ? [...COLUMNS, actions] : COLUMNS}
          empty={
            <Empty title={t('console.invitations.none')}>
              <p>{t('console.invitations.noneHelp')}</p>
            </Empty>
          }
        />
      </Card>
    </>
  );
}
