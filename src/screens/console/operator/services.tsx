import { useState } from 'preact/hooks';
import type { CreatedService, Service } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge, Badges } from '#screens/console/badges';
import { Ago, None, Secret, errorOf } from '#screens/console/operator/parts';
import { Action, Destroy } from '#screens/ui/action';
import { Card, Field } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { t } from '#screens/ui/text';

/** What each allows. */
const WHAT = {
  introspect: 'console.services.introspect',
  changes: 'console.services.changes',
  revoke: 'console.services.revoke',
} as const;
const SCOPES = Object.keys(WHAT) as (keyof typeof WHAT)[];

const COLUMNS: readonly Column<Service>[] = [
  {
    title: t('console.services.name'),
    cell: ({ id, name }) => (
      <div class="two-lines">
        <span class="strong">{name}</span>
        <code>{id}</code>
      </div>
    ),
  },
  {
    title: t('console.services.scopes'),
    cell: ({ scopes }) =>
      scopes.length === 0 ? (
        '–'
      ) : (
        <Badges>
          {scopes.map((scope) => (
            <Badge key={scope}>{scope}</Badge>
          ))}
        </Badges>
      ),
  },
  { title: t('console.services.lastUsedAt'), cell: (row) => <Ago time={row.lastUsedAt} /> },
  { title: t('console.services.createdAt'), cell: (row) => <Ago time={row.createdAt} /> },
];

/** Other services that ask this server about tokens. */
export function Services() {
  const { may } = useAccess();
  const [secret, setSecret] = useState<CreatedService>();
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((now) => now + 1);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/services', null, { query: { cursor } }),
    [version],
  );
  const actions: Column<Service> = {
    title: t('console.actions'),
    cell: (service) => <ServiceActions service={service} changed={changed} shown={setSecret} />,
  };
  return (
    <>
      <Title>{t('console.services.title')}</Title>
      {may('services:write') && <Create created={setSecret} changed={changed} />}
      <Card note={t('console.services.note')}>
        <Table
          caption={t('console.services.title')}
          pages={pages}
          columns={may('services:write') ? [...COLUMNS, actions] : COLUMNS}
          empty={<None of="services" />}
        />
      </Card>
      {secret && (
        <Secret
          title={t('console.services.secretOf', { name: secret.name })}
          secret={secret.secret}
          onClose={() => setSecret(undefined)}
        >
          <p>
            {t('console.services.id')} <code>{secret.id}</code>
          </p>
        </Secret>
      )}
    </>
  );
}

const Scopes = ({ held }: { held: readonly string[] }) => (
  <fieldset>
    <legend>{t('console.services.scopes')}</legend>
    {SCOPES.map((scope) => (
      <label class="check" key={scope}>
        <input type="checkbox" name={scope} defaultChecked={held.includes(scope)} />
        <span>
          <code>{scope}</code> {t(WHAT[scope])}
        </span>
      </label>
    ))}
  </fieldset>
);
const scopesIn = (fields: Record<string, string>) => SCOPES.filter((scope) => scope in fields);

interface Changing {
  changed: () => void;
}

function Create({ created, changed }: Changing & { created: (made: CreatedService) => void }) {
  return (
    <div class="actions">
      <Action
        kind="primary"
        label={t('console.services.create')}
        done={changed}
        send={async (fields) => {
          const body = { name: fields['name']!, scopes: scopesIn(fields) };
          const answer = await ask('POST', '/admin/services', body);
          if (answer.ok) created(answer.body);
          return answer;
        }}
      >
        {(errors) => (
          <>
            <Field
              label={t('console.services.name')}
              hint={t('console.services.nameHint')}
              name="name"
              error={errorOf(errors, 'name')}
              autocomplete="off"
              required
            />
            <Scopes held={['introspect']} />
          </>
        )}
      </Action>
    </div>
  );
}

function ServiceActions({
  service: { id, name, scopes },
  changed,
  shown,
}: Changing & { service: Service; shown: (made: CreatedService) => void }) {
  const params = { id };
  return (
    <div class="actions">
      <Action
        label={t('console.edit')}
        done={changed}
        send={(fields) =>
          ask(
            'PATCH',
            '/admin/services/{id}',
            { name: fields['name']!, scopes: scopesIn(fields) },
            { params },
          )
        }
      >
        {(errors) => (
          <>
            <Field
              label={t('console.services.name')}
              name="name"
              defaultValue={name}
              error={errorOf(errors, 'name')}
              required
            />
            <Scopes held={scopes} />
          </>
        )}
      </Action>
      <Action
        label={t('console.secret.new')}
        done={changed}
        send={async (fields) => {
          const keepPrevious = 'keep' in fields;
          const body = { keepPrevious };
          const answer = await ask('POST', '/admin/services/{id}/secret', body, { params });
          if (answer.ok) shown(answer.body);
          return answer;
        }}
      >
        <p>{t('console.services.secretWhat')}</p>
        <label class="check">
          <input type="checkbox" name="keep" defaultChecked />
          <span>{t('console.secret.keep')}</span>
        </label>
      </Action>
      <Destroy
        label={t('console.delete')}
        name={name}
        done={changed}
        send={() => ask('DELETE', '/admin/services/{id}', null, { params })}
      >
        <p>{t('console.services.deleteWhat')}</p>
      </Destroy>
    </div>
  );
}
