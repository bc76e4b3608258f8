import { useState } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { Role } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge, Badges } from '#screens/console/badges';
import { Permissions } from '#screens/console/permissions';
import { Button, Card, Empty, Field, Form } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { t } from '#screens/ui/text';

const COLUMNS: readonly Column<Role & { id: string }>[] = [
  {
    title: t('console.roles.role'),
    cell: ({ name, description }) => (
      <div class="person">
        <a href={pathTo('console', `roles/${name}`)}>{name}</a>
        {description && <span class="note">{description}</span>}
      </div>
    ),
  },
  {
    title: t('console.roles.permissions'),
    cell: ({ permissions }) =>
      permissions.length === 0 ? (
        <span class="note">{t('console.roles.noPermissions')}</span>
      ) : (
        <Badges>
          {permissions.map((each) => (
            <Badge key={each}>{each}</Badge>
          ))}
        </Badges>
      ),
  },
];

/** A row of a table has an id. A role is known by its name. */
async function pageOfRoles(cursor: string | undefined) {
  const answer = await ask('GET', '/admin/roles', null, { query: { cursor } });
  if (!answer.ok) return answer;
  const data = answer.body.data.map((role) => ({ ...role, id: role.name }));
  return { ...answer, body: { ...answer.body, data } };
}

export function Roles() {
  const { may } = useAccess();
  const pages = usePages(pageOfRoles);
  return (
    <>
      <Title>{t('console.roles.title')}</Title>
      {may('roles:write') && <NewRole />}
      <Card note={t('console.roles.note')}>
        <Table
          caption={t('console.roles.title')}
          pages={pages}
          columns={COLUMNS}
          empty={<Empty title={t('console.roles.none')} />}
        />
      </Card>
    </>
  );
}

/** If there is one with this name, it stays as it is. */
async function create(
  { name = '', description = '' }: Record<string, string>,
  form: HTMLFormElement,
) {
  const permissions = new FormData(form).getAll('permission') as string[];
  const params = { role: name };
  const there = await ask('GET', '/admin/roles/{role}', null, { params });
  if (there.ok) return undefined;
  if (there.body.code !== 'not_found') return there;
  return ask(
    'PUT',
    '/admin/roles/{role}',
    { description: description.trim(), permissions },
    { params },
  );
}

function NewRole() {
  const { route } = useLocation();
  const [isOpen, setOpen] = useState(false);
  const [isTaken, setTaken] = useState(false);
  if (!isOpen)
    return (
      <div class="actions">
        <Button kind="primary" onClick={() => setOpen(true)}>
          {t('console.roles.new')}
        </Button>
      </div>
    );
  return (
    <Card title={t('console.roles.new')}>
      <Form
        submit={t('console.roles.create')}
        send={async (fields, form) => {
          const answer = await create(fields, form);
          setTaken(answer === undefined);
          if (answer?.ok) route(pathTo('console', `roles/${answer.body.name}`));
          return answer;
        }}
      >
        {(errors: Record<string, string>) => (
          <>
            <Field
              label={t('console.roles.name')}
              name="name"
              hint={t('console.roles.nameHint')}
              pattern="[a-z0-9][a-z0-9._:\-]{0,63}"
              autocomplete="off"
              error={isTaken ? t('console.roles.taken') : errors['role']}
              required
            />
            <Field
              label={t('console.roles.description')}
              name="description"
              maxLength={255}
              autocomplete="off"
              error={errors['description']}
            />
            <Permissions held={[]} error={errors['permissions']} />
          </>
        )}
      </Form>
    </Card>
  );
}
