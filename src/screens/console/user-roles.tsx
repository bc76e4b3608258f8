import { useState } from 'preact/hooks';
import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { Action } from '#screens/ui/action';
import { Card, Field, Form } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { pathTo } from '#screens/ui/screen';
import { Select } from '#screens/ui/select';
import { t } from '#screens/ui/text';

export function UserRoles({ user, changed }: OfUser) {
  const { may } = useAccess();
  return (
    <Card title={t('console.users.roles')} note={t('console.users.rolesNote')}>
      {user.roles.length === 0 ? (
        <p>{t('console.users.noRoles')}</p>
      ) : (
        <ul class="rows">
          {user.roles.map((role) => (
            <li key={role}>
              {may('roles:read') ? (
                <a href={pathTo('console', `roles/${role}`)}>{role}</a>
              ) : (
                <span>{role}</span>
              )}
              {may('roles:assign') && (
                <Action
                  label={t('console.users.revokeRole', { role })}
                  done={changed}
                  send={() =>
                    ask('DELETE', '/admin/users/{id}/roles/{role}', null, {
                      params: { id: user.id, role },
                    })
                  }
                >
                  <p>{t('console.users.revokeRoleWhat', { role })}</p>
                </Action>
              )}
            </li>
          ))}
        </ul>
      )}
      {may('roles:assign') && <GrantRole user={user} changed={changed} />}
    </Card>
  );
}

function GrantRole({ user, changed }: Pick<OfUser, 'user' | 'changed'>) {
  const { may } = useAccess();
  const [role, setRole] = useState('');
  const { body } = useLoad(
    async () =>
      may('roles:read') ? ask('GET', '/admin/roles', null, { query: { limit: 100 } }) : NO_ROLES,
    [],
  );
  const others = (body?.data ?? []).filter(({ name }) => !user.roles.includes(name));
  const send = async () =>
    role === ''
      ? undefined
      : ask('PUT', '/admin/users/{id}/roles/{role}', null, { params: { id: user.id, role } });
  if (may('roles:read') && others.length === 0) return null;
  return (
    <Form
      submit={t('console.users.grantRole')}
      kind="plain"
      send={send}
      done={() => {
        setRole('');
        changed();
      }}
    >
      {may('roles:read') ? (
        <Select
          label={t('console.users.newRole')}
          value={role}
          choose={setRole}
          options={[
            ['', t('console.users.chooseRole')],
            ...others.map(({ name }): [string, string] => [name, name]),
          ]}
        />
      ) : (
        <Field
          label={t('console.users.newRole')}
          value={role}
          onInput={({ currentTarget }) => setRole(currentTarget.value)}
          autocomplete="off"
        />
      )}
    </Form>
  );
}

/** Whoever may not read roles types the name of one. */
const NO_ROLES = {
  ok: true as const,
  status: 200,
  headers: new Headers(),
  body: { data: [], nextCursor: null },
};
