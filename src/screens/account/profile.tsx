import { Card } from '#screens/ui/controls';
import { useSession } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

export function Profile() {
  const { user } = useSession();
  return (
    <>
      <Title>{t('account.profile')}</Title>
      <Card>
        <dl>
          <dt>{t('account.username')}</dt>
          <dd>{user?.username ?? '–'}</dd>
          <dt>{t('account.email')}</dt>
          <dd>{user?.email ?? '–'}</dd>
        </dl>
      </Card>
    </>
  );
}
