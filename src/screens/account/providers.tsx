import { useEffect, useState } from 'preact/hooks';
import type { Identity, Problem } from '#src/client/index';
import { Action } from '#screens/ui/action';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Alert, Button, Card, Empty } from '#screens/ui/controls';
import { useLoad, usePages } from '#screens/ui/hooks';
import { leaveToLink, takeLink, Title } from '#screens/ui/screen';
import { dateTime, t } from '#screens/ui/text';

const NAMES: Readonly<Record<string, string>> = {
  apple: 'Apple',
  facebook: 'Facebook',
  github: 'GitHub',
  google: 'Google',
  ldap: 'LDAP',
  saml: 'SAML',
};
const nameOf = (provider: string) => NAMES[provider] ?? provider;

export function Providers() {
  const identities = usePages((cursor) =>
    client.request('GET', '/me/identities', null, { query: cursor ? { cursor } : {} }),
  );
  const { body: ways } = useLoad(() => client.request('GET', '/auth/strategies'));
  const [refused, setRefused] = useState<Problem>();
  const { rows, problem, isLoading, more, reload } = identities;
  useEffect(() => {
    const link = takeLink();
    if (!link) return;
    void client.comeBack(link.address, link.provider).then((answer) => {
      if (answer?.ok) announce(t('account.linked'));
      else setRefused(answer?.body);
      reload();
    });
  }, []);
  const free = (ways ?? []).filter(
    ({ name, kind }) => kind === 'redirect' && !rows.some(({ provider }) => provider === name),
  );
  const isEmpty = rows.length === 0 && !isLoading && !problem && ways !== undefined;
  const isOff = isEmpty && free.length === 0;
  return (
    <>
      <Title>{t('account.providers')}</Title>
      <Alert problem={refused ?? problem} />
      <Card {...(!isOff && { note: t('account.providersNote') })}>
        {isOff && <Empty title={t('account.noProvidersHere')} />}
        {isEmpty && !isOff && (
          <Empty title={t('account.noProviders')}>
            <p>{t('account.noProvidersHelp')}</p>
          </Empty>
        )}
        <ul class="rows">
          {rows.map((identity) => (
            <Linked identity={identity} onChange={reload} key={identity.id} />
          ))}
        </ul>
        <div class="actions">
          {more && (
            <Button busy={isLoading} onClick={more}>
              {t('ui.more')}
            </Button>
          )}
          {!isLoading &&
            free.map(({ name }) => (
              <Action
                label={t('account.link', { name: nameOf(name) })}
                send={() => leaveToLink('account', name)}
                key={name}
              />
            ))}
        </div>
      </Card>
    </>
  );
}

function Linked({ identity, onChange }: { identity: Identity; onChange: () => void }) {
  const { id, provider, email, createdAt } = identity;
  const name = nameOf(provider);
  return (
    <li>
      <div>
        <p class="strong">{name}</p>
        <p class="note">
          {email && `${email} · `}
          {t('account.addedAt', { time: dateTime(createdAt) })}
        </p>
      </div>
      <div class="actions">
        <Action
          label={t('account.unlink')}
          about={t('account.unlinkOf', { name })}
          send={() => client.request('DELETE', '/me/identities/{id}', null, { params: { id } })}
          done={() => {
            announce(t('account.unlinked'));
            onChange();
          }}
        />
      </div>
    </li>
  );
}
