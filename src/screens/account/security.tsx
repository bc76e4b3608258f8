import { useContext, useState } from 'preact/hooks';
import { Recheck, useMe } from '#screens/account/enrolment';
import { FactorList } from '#screens/account/factor-list';
import { NewApp } from '#screens/account/new-app';
import { NewPasskey } from '#screens/account/new-passkey';
import { PasswordCard } from '#screens/account/password-card';
import { RecoveryCodes, ShownCodes } from '#screens/account/recovery-codes';
import { OnlyUser } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Alert, Button, Card, Empty } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';
import { hasPasskeys } from '#screens/ui/webauthn';

export function Security() {
  const { body: me } = useMe();
  const { body: ways } = useLoad(() => client.request('GET', '/auth/strategies'));
  const factors = useLoad(() =>
    client.request('GET', '/me/factors', null, { query: { limit: 100 } }),
  );
  const [isAddingApp, setAddingApp] = useState(false);
  const [codes, setCodes] = useState<readonly string[]>();
  const recheck = useContext(Recheck);
  const { body, problem, reload } = factors;
  const added = (recoveryCodes: readonly string[] | null) => {
    setAddingApp(false);
    if (recoveryCodes) setCodes(recoveryCodes);
    announce(t('account.factorAdded'));
    void reload().then(recheck);
  };
  const withPasskeys = hasPasskeys() && ways?.some(({ name }) => name === 'passkey');
  return (
    <>
      <Title>{t('account.security')}</Title>
      <Alert problem={problem} />
      <OnlyUser>{me && <PasswordCard me={me} />}</OnlyUser>
      {body && (
        <Card title={t('account.factors')} note={t('account.factorsNote')}>
          {body.data.length === 0 ? (
            <Empty title={t('account.noFactors')}>
              <p>{t('account.noFactorsHelp')}</p>
            </Empty>
          ) : (
            <FactorList factors={body.data} onChange={reload} />
          )}
          <OnlyUser>
            <div class="actions">
              <Button onClick={() => setAddingApp(true)}>{t('account.addApp')}</Button>
              {withPasskeys && <NewPasskey done={added} />}
            </div>
          </OnlyUser>
        </Card>
      )}
      {body && body.data.length > 0 && (
        <RecoveryCodes
          left={body.recoveryCodesLeft}
          onNew={(made) => {
            setCodes(made);
            void reload();
          }}
        />
      )}
      {isAddingApp && <NewApp done={added} onClose={() => setAddingApp(false)} />}
      {codes && <ShownCodes codes={codes} onClose={() => setCodes(undefined)} />}
    </>
  );
}
