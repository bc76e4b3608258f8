import type { ListedSession } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge } from '#screens/console/badges';
import { strategyName } from '#screens/console/strategy';
import type { OfUser } from '#screens/console/user';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Button, Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Table, type Column } from '#screens/ui/table';
import { ago, dateTime, t } from '#screens/ui/text';

const COLUMNS: readonly Column<ListedSession>[] = [
  {
    title: t('console.users.device'),
    cell: ({ device, current, impersonation }) => (
      <div class="person">
        <span>
          {device.name ?? t('console.users.unknownDevice')}{' '}
          {current && <Badge kind="good">{t('console.users.thisSession')}</Badge>}
        </span>
        {impersonation && (
          <span class="note">
            {t('console.users.actedBy', {
              name: impersonation.actor.name ?? impersonation.actor.id,
              reason: impersonation.reason,
            })}
          </span>
        )}
      </div>
    ),
  },
  {
    title: t('console.users.strategy'),
    cell: ({ strategy, acr }) => (
      <>
        {strategyName(strategy)} {acr === 'aal2' && <Badge>{t('console.users.twoFactors')}</Badge>}
      </>
    ),
  },
  { title: t('console.users.ip'), cell: ({ ip }) => ip ?? '–' },
  {
    title: t('console.users.lastSeen'),
    cell: ({ lastSeenAt }) => (
      <time dateTime={lastSeenAt} title={dateTime(lastSeenAt)}>
        {ago(lastSeenAt)}
      </time>
    ),
  },
];

export function UserSessions({ user, version, changed }: OfUser) {
  const { me, may } = useAccess();
  const { id } = user;
  const pages = usePages(
    (cursor) =>
      ask('GET', '/admin/users/{id}/sessions', null, { params: { id }, query: { cursor } }),
    [id, version],
  );
  const end: Column<ListedSession> = {
    title: t('console.users.action'),
    cell: ({ id: sessionId, current }) =>
      current ? (
        <Button onClick={() => void client.signOut()}>{t('ui.signOut')}</Button>
      ) : (
        <Action
          label={t('console.users.endSession')}
          done={changed}
          send={() =>
            ask('DELETE', '/admin/users/{id}/sessions/{sessionId}', null, {
              params: { id, sessionId },
            })
          }
        >
          <p>{t('console.users.endSessionWhat')}</p>
        </Action>
      ),
  };
  return (
    <Card title={t('console.users.sessions')}>
      <Table
        caption={t('console.users.sessions')}
        pages={pages}
        columns={may('sessions:end') ? [...COLUMNS, end] : COLUMNS}
        empty={<Empty title={t('console.users.noSessions')} />}
      />
      {may('sessions:end') && pages.rows.length > 0 && (
        <div class="actions after">
          <Action
            label={t('console.users.endSessions')}
            kind="danger"
            done={changed}
            send={() => ask('DELETE', '/admin/users/{id}/sessions', null, { params: { id } })}
          >
            <p>
              {t(
                id === me.id ? 'console.users.endOwnSessionsWhat' : 'console.users.endSessionsWhat',
              )}
            </p>
          </Action>
        </div>
      )}
    </Card>
  );
}
