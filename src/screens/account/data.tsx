import { useState } from 'preact/hooks';
import type { OwnUser } from '#src/client/index';
import { Action } from '#screens/ui/action';
import { acting } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Button, Card, ConfirmName } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { download } from '#screens/ui/files';
import { useLoad } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

async function exportAll() {
  const answer = await client.request('GET', '/me/export');
  if (answer.ok) download('export.json', JSON.stringify(answer.body, null, 2), 'application/json');
  return answer;
}

export function Data() {
  const { body: me } = useLoad(() => client.request('GET', '/me'));
  const [isAsking, setAsking] = useState(false);
  if (acting) return <Refused />;
  return (
    <>
      <Title>{t('account.data')}</Title>
      <Card title={t('account.export')} note={t('account.exportNote')}>
        <Action act={exportAll} done={() => announce(t('account.exported'))}>
          {t('account.download')}
        </Action>
      </Card>
      <Card title={t('account.deleteAccount')} note={t('account.deleteAccountNote')}>
        <Button kind="danger" onClick={() => setAsking(true)}>
          {t('account.deleteAccount')}
        </Button>
      </Card>
      {isAsking && me && <Deletion me={me} onClose={() => setAsking(false)} />}
    </>
  );
}

const Refused = () => (
  <>
    <Title>{t('account.data')}</Title>
    <p class="alert">{data.problems['impersonated']}</p>
  </>
);

function Deletion({ me, onClose }: { me: OwnUser; onClose: () => void }) {
  const remove = async () => {
    const answer = await client.request('DELETE', '/me', { confirm: 'delete' });
    if (!answer.ok) return answer;
    announce(t('account.deleted'));
    await client.signOut(); // forgets what is held here
    if (data.brandUrl) location.replace(data.brandUrl);
    return undefined;
  };
  return (
    <ConfirmName
      title={t('account.deleteAccount')}
      name={me.username ?? me.email ?? 'delete'}
      submit={t('account.deleteForGood')}
      send={remove}
      onClose={onClose}
    >
      <ul>
        <li>{t('account.deletesAccess')}</li>
        <li>{t('account.deletesData')}</li>
        <li>{t('account.deletesForGood')}</li>
      </ul>
    </ConfirmName>
  );
}
