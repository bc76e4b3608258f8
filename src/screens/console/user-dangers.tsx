import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { calledAs } from '#screens/console/users';
import { Action, Destroy } from '#screens/ui/action';
import { Card } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

export function Dangers({ user, changed, deleted }: OfUser & { deleted: () => void }) {
  const { may } = useAccess();
  if (!may('users:write')) return null;
  const { id, disabled } = user;
  const name = user.username ?? user.email ?? id;
  return (
    <Card title={t('console.users.account')}>
      <ul class="rows">
        <li>
          <p>{t(disabled ? 'console.users.enableNote' : 'console.users.disableNote')}</p>
          <Action
            key={String(disabled)}
            label={t(disabled ? 'console.users.enable' : 'console.users.disable')}
            done={changed}
            send={() =>
              ask('PATCH', '/admin/users/{id}', { disabled: !disabled }, { params: { id } })
            }
          >
            <p>
              {t(disabled ? 'console.users.enableWhat' : 'console.users.disableWhat', {
                name: calledAs(user),
              })}
            </p>
          </Action>
        </li>
        <li>
          <p>{t('console.users.deleteNote')}</p>
          <Destroy
            label={t('console.users.delete')}
            name={name}
            done={deleted}
            send={() => ask('DELETE', '/admin/users/{id}', null, { params: { id } })}
          >
            <p>{t('console.users.deleteWhat', { name })}</p>
          </Destroy>
        </li>
      </ul>
    </Card>
  );
}
