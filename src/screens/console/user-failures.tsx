import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { Action } from '#screens/ui/action';
import { Card } from '#screens/ui/controls';
import { dateTime, t } from '#screens/ui/text';

const WAYS: Record<string, string> = {
  sign_in: t('console.users.failedSignIn'),
  second_factor: t('console.users.failedFactor'),
};

/** Failed sign-ins. A user who has none has no such part. */
export function UserFailures({ user, changed }: OfUser) {
  const { may } = useAccess();
  if (user.loginFailures.length === 0) return null;
  return (
    <Card title={t('console.users.failures')} note={t('console.users.failuresNote')}>
      <ul class="rows">
        {user.loginFailures.map(({ of, network, count, lockedUntil }) => (
          <li key={`${of} ${network}`}>
            <span>
              {t('console.users.failed', { way: WAYS[of] ?? of, count })}{' '}
              <span class="note">{network ?? t('console.users.elsewhere')}</span>
            </span>
            <span class={lockedUntil ? 'strong' : 'note'}>
              {lockedUntil
                ? t('console.users.lockedUntil', { when: dateTime(lockedUntil) })
                : t('console.users.notLocked')}
            </span>
          </li>
        ))}
      </ul>
      {may('users:write') && (
        <div class="actions after">
          <Action
            label={t('console.users.unlock')}
            done={changed}
            send={() => ask('DELETE', '/admin/users/{id}/lock', null, { params: { id: user.id } })}
          >
            <p>{t('console.users.unlockWhat')}</p>
          </Action>
        </div>
      )}
    </Card>
  );
}
