import type { ListedSession } from '#src/client/index';
import { Action } from '#screens/ui/action';
import { OnlyUser } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Alert, Button, Card } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { ago, dateTime, t } from '#screens/ui/text';

const AMR = {
  pwd: 'account.byPassword',
  otp: 'account.byCode',
  hwk: 'account.byPasskey',
  swk: 'account.byPasskey',
  fed: 'account.byProvider',
  mfa: 'account.byTwoFactors',
} as const;

/** How the user proved who they are. Ways that have no words here are named by their strategy. */
const how = ({ amr, strategy }: ListedSession) => {
  const words = amr.flatMap((each) => (each in AMR ? [t(AMR[each as keyof typeof AMR])] : []));
  const name = strategy === 'local' && words.length > 0 ? [] : [strategy];
  return [...new Set([...name, ...words])].join(', ');
};

export function Sessions() {
  const sessions = usePages((cursor) =>
    client.request('GET', '/me/sessions', null, { query: cursor ? { cursor } : {} }),
  );
  const { rows, problem, isLoading, more, reload } = sessions;
  const ended = () => {
    announce(t('account.sessionEnded'));
    reload();
  };
  return (
    <>
      <Title>{t('account.sessions')}</Title>
      <Card note={t('account.sessionsNote')}>
        <Alert problem={problem} />
        {isLoading && rows.length === 0 && <p class="note">{t('ui.loading')}</p>}
        <ul class="rows">
          {rows.map((session) => (
            <Session session={session} onEnd={ended} key={session.id} />
          ))}
        </ul>
        {more && (
          <Button busy={isLoading} onClick={more}>
            {t('ui.more')}
          </Button>
        )}
      </Card>
      <OnlyUser>
        {(rows.length > 1 || more) && (
          <Card title={t('account.endOthers')} note={t('account.endOthersNote')}>
            <Action
              kind="danger"
              label={t('account.endOthers')}
              send={() => client.request('DELETE', '/me/sessions')}
              done={() => {
                announce(t('account.othersEnded'));
                reload();
              }}
            />
          </Card>
        )}
      </OnlyUser>
    </>
  );
}

function Session({ session, onEnd }: { session: ListedSession; onEnd: () => void }) {
  const { id, device, ip, current, createdAt, lastSeenAt, impersonation } = session;
  const name = device.name ?? device.platform ?? t('account.unknownDevice');
  const end = () => client.request('DELETE', '/me/sessions/{id}', null, { params: { id } });
  return (
    <li>
      <div>
        <p class="badges">
          <span class="strong">{name}</span>
          {current && <span class="badge">{t('account.current')}</span>}
          {impersonation && <span class="badge danger">{t('account.impersonation')}</span>}
        </p>
        <p class="note">
          {t('account.seen', { time: ago(lastSeenAt) })}
          {ip && ` · ${ip}`}
        </p>
        <p class="note">
          {t('account.began', { time: dateTime(createdAt) })}
          {!impersonation && ` · ${how(session)}`}
        </p>
        {impersonation && (
          <p class="note">
            {t('account.actedBy', {
              name: impersonation.actor.name ?? t('account.somebody'),
              reason: impersonation.reason,
            })}
          </p>
        )}
      </div>
      <div class="actions">
        {current ? (
          <OnlyUser>
            <Button onClick={() => void client.signOut()}>{t('ui.signOut')}</Button>
          </OnlyUser>
        ) : (
          <Action
            label={t('account.end')}
            about={t('account.endOf', { name })}
            send={end}
            done={onEnd}
          />
        )}
      </div>
    </li>
  );
}
