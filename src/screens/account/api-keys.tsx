import { useState } from 'preact/hooks';
import type { ApiKey, CreatedApiKey } from '#src/client/index';
import { NewApiKey } from '#screens/account/new-api-key';
import { announce } from '#screens/ui/announce';
import { OnlyUser } from '#screens/ui/acting';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Alert, Button, Card, Empty } from '#screens/ui/controls';
import { Dialog } from '#screens/ui/dialog';
import { Secret } from '#screens/ui/files';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { dateTime, t } from '#screens/ui/text';

export function ApiKeys() {
  const keys = usePages((cursor) =>
    client.request('GET', '/me/api-keys', null, { query: cursor ? { cursor } : {} }),
  );
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<CreatedApiKey>();
  const { rows, problem, isLoading, more, reload } = keys;
  const title = <Title>{t('account.apiKeys')}</Title>;
  if (problem?.code === 'not_found')
    return (
      <>
        {title}
        <Card>
          <Empty title={t('account.noApiKeysHere')} />
        </Card>
      </>
    );
  return (
    <>
      {title}
      <Card note={t('account.apiKeysNote')}>
        <Alert problem={problem} />
        {rows.length === 0 && !isLoading && !problem && (
          <Empty title={t('account.noApiKeys')}>
            <p>{t('account.noApiKeysHelp')}</p>
          </Empty>
        )}
        <ul class="rows">
          {rows.map((key) => (
            <Listed apiKey={key} onChange={reload} key={key.id} />
          ))}
        </ul>
        <div class="actions">
          {more && (
            <Button busy={isLoading} onClick={more}>
              {t('ui.more')}
            </Button>
          )}
          <OnlyUser>
            <Button onClick={() => setAdding(true)}>{t('account.newKey')}</Button>
          </OnlyUser>
        </div>
      </Card>
      {isAdding && (
        <NewApiKey
          onClose={() => setAdding(false)}
          onMade={(key) => {
            setAdding(false);
            setMade(key);
            reload();
          }}
        />
      )}
      {made && (
        <Dialog
          title={t('account.keyMade')}
          close={t('account.keyKept')}
          onClose={() => setMade(undefined)}
        >
          <p>{t('account.keepKey')}</p>
          <Secret label={made.name} text={made.key} />
        </Dialog>
      )}
    </>
  );
}

function Listed({ apiKey, onChange }: { apiKey: ApiKey; onChange: () => void }) {
  const { id, name, last4, scopes, expiresAt, lastUsedAt } = apiKey;
  const facts = [
    scopes.join(', '),
    expiresAt ? t('account.expiresAt', { time: dateTime(expiresAt) }) : t('account.neverExpires'),
    lastUsedAt ? t('account.usedAt', { time: dateTime(lastUsedAt) }) : t('account.neverUsed'),
  ];
  return (
    <li>
      <div>
        <p class="strong">{name}</p>
        <p class="note">
          <bdi dir="ltr">…{last4}</bdi> · {facts.filter(Boolean).join(' · ')}
        </p>
      </div>
      <div class="actions">
        <Action
          kind="danger"
          label={t('account.delete')}
          about={t('account.deleteOf', { name })}
          send={() => client.request('DELETE', '/me/api-keys/{id}', null, { params: { id } })}
          done={() => {
            announce(t('account.keyDeleted'));
            onChange();
          }}
        >
          <p>{t('account.deleteKeyNote')}</p>
        </Action>
      </div>
    </li>
  );
}
