import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import type { Role } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge, Badges } from '#screens/console/badges';
import { Permissions } from '#screens/console/permissions';
import { Destroy } from '#screens/ui/action';
import { Alert, Card, Field, Form } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

/** The server refuses to change the first, and to delete any of them. */
const FIXED = 'admin';
const SHIPPED = ['user', 'moderator', FIXED];

export function RolePage() {
  const { params } = useRoute();
  const role = params['role']!;
  return <OneRole key={role} name={role} />;
}

async function roleNamed(role: string) {
  const answer = await ask('GET', '/admin/roles/{role}', null, { params: { role } });
  if (!answer.ok) return answer;
  const etag = answer.headers.get('ETag') ?? undefined;
  return { ...answer, body: { role: answer.body, etag } };
}

function OneRole({ name }: { name: string }) {
  const { may } = useAccess();
  const { body, problem, reload } = useLoad(() => roleNamed(name), [name]);
  const isFixed = name === FIXED;
  return (
    <>
      <div class="head">
        <p class="back">
          <a href={pathTo('console', 'roles')}>{t('console.roles.all')}</a>
        </p>
        <Title>{name}</Title>
        {may('users:read') && (
          <a href={`${pathTo('console', 'users')}?role=${encodeURIComponent(name)}`}>
            {t('console.roles.holders')}
          </a>
        )}
      </div>
      <Alert problem={problem} />
      {body && may('roles:write') && !isFixed && <Edit {...body} reload={reload} />}
      {body && (!may('roles:write') || isFixed) && <Shown role={body.role} isFixed={isFixed} />}
      {body && may('roles:write') && !SHIPPED.includes(name) && <Delete name={name} />}
    </>
  );
}

const Shown = ({ role, isFixed }: { role: Role; isFixed: boolean }) => (
  <Card title={t('console.roles.permissions')}>
    {isFixed && <p>{t('console.roles.fixed')}</p>}
    {role.description && <p>{role.description}</p>}
    <Badges>
      {role.permissions.map((each) => (
        <Badge key={each}>{each}</Badge>
      ))}
    </Badges>
  </Card>
);

interface Edited {
  role: Role;
  etag: string | undefined;
  reload: () => Promise<void>;
}

function Edit({ role, etag, reload }: Edited) {
  const [isSaved, setSaved] = useState(false);
  async function save(fields: Record<string, string>, form: HTMLFormElement) {
    const permissions = new FormData(form).getAll('permission') as string[];
    const description = fields['description']!.trim();
    const answer = await ask(
      'PUT',
      '/admin/roles/{role}',
      { description, permissions },
      { params: { role: role.name }, headers: { 'If-Match': etag } },
    );
    setSaved(answer.ok);
    // Somebody else was faster. What they changed is shown, and nothing of it is undone.
    if (answer.ok || answer.body.code === 'precondition_failed') await reload();
    return answer;
  }
  return (
    <Card title={t('console.roles.edit')} note={t('console.roles.editNote')}>
      <Form key={etag} submit={t('console.save')} send={save}>
        {(errors: Record<string, string>) => (
          <>
            <Field
              label={t('console.roles.description')}
              name="description"
              defaultValue={role.description}
              maxLength={255}
              autocomplete="off"
              error={errors['description']}
            />
            <Permissions held={role.permissions} error={errors['permissions']} />
          </>
        )}
      </Form>
      {isSaved && (
        <p class="note after" role="status">
          {t('console.saved')}
        </p>
      )}
    </Card>
  );
}

function Delete({ name }: { name: string }) {
  const { route } = useLocation();
  return (
    <Card title={t('console.roles.delete')}>
      <p>{t('console.roles.deleteNote')}</p>
      <Destroy
        label={t('console.roles.delete')}
        name={name}
        done={() => route(pathTo('console', 'roles'))}
        send={() => ask('DELETE', '/admin/roles/{role}', null, { params: { role: name } })}
      >
        <p>{t('console.roles.deleteWhat', { name })}</p>
      </Destroy>
    </Card>
  );
}
