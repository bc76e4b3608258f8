import { useState } from 'preact/hooks';
import { ask } from '#screens/console/access';
import { whole } from '#screens/console/operator/parts';
import { Alert, Card, Empty, Field } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table } from '#screens/ui/table';
import { t } from '#screens/ui/text';

const Value = ({ value }: { value: string | null }) => {
  if (value === 'set') return <>{t('console.settings.isSet')}</>;
  if (value === 'not set') return <>{t('console.settings.notSet')}</>;
  return <bdi dir="ltr">{value || '–'}</bdi>;
};

/** What is in force. Of secrets the server says only whether they are set. */
export function Settings() {
  const [typed, setTyped] = useState('');
  const { body, problem } = useLoad(() => ask('GET', '/admin/settings'));
  const wanted = typed.trim().toLowerCase();
  const found = (body?.data ?? []).filter(({ name, value }) =>
    `${name} ${value ?? ''}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <Title>{t('console.settings.title')}</Title>
      <Alert problem={problem} />
      <Card note={t('console.settings.note')}>
        <Field
          label={t('console.settings.search')}
          type="search"
          value={typed}
          autocomplete="off"
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
        <Table
          caption={t('console.settings.title')}
          pages={{ ...whole(found.map((each) => ({ id: each.name, ...each }))), isLoading: !body }}
          columns={[
            { title: t('console.settings.name'), cell: ({ name }) => <code>{name}</code> },
            { title: t('console.settings.value'), cell: ({ value }) => <Value value={value} /> },
          ]}
          empty={<Empty title={t('console.settings.none')} />}
        />
      </Card>
    </>
  );
}
