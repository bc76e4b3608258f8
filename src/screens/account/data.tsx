import type { OwnUser } from '#src/client/index';
import { useMe } from '#screens/account/enrolment';
import { Action, Destroy } from '#screens/ui/action';
import { acting } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Card } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { download } from '#screens/ui/files';
import { Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

async function exportAll() {
  const answer = await client.request('GET', '/me/export');
  if (answer.ok) download('export.json', JSON.stringify(answer.body, null, 2), 'application/json');
  return answer;
}

async function deleteAll() {
  const answer = await client.request('DELETE', '/me', { confirm: 'delete' });
  if (!answer.ok) return answer;
  announce(t('account.deleted'));
  await client.signOut(); // forgets what is held here
  if (data.brandUrl) location.replace(data.brandUrl);
  return undefined;
}

export function Data() {
  const { body: me } = useMe();
  return (
    <>
      <Title>{t('account.data')}</Title>
      {acting ? <p class="alert">{data.problems['impersonated']}</p> : me && <Own me={me} />}
    </>
  );
}

const Own = ({ me }: { me: OwnUser }) => (
  <>
    <Card title={t('account.export')} note={t('account.exportNote')}>
      <Action
        label={t('account.download')}
        send={exportAll}
        done={() => announce(t('account.exported'))}
      />
    </Card>
    <Card title={t('account.deleteAccount')} note={t('account.deleteAccountNote')}>
      <Destroy
        label={t('account.deleteAccount')}
        submit={t('account.deleteForGood')}
        name={me.username ?? me.email ?? 'delete'}
        send={deleteAll}
      >
        <ul>
          <li>{t('account.deletesAccess')}</li>
          <li>{t('account.deletesData')}</li>
          <li>{t('account.deletesForGood')}</li>
        </ul>
      </Destroy>
    </Card>
  </>
);
