import { Route } from 'preact-iso';
import { ApiKeys } from '#screens/account/api-keys';
import { Data } from '#screens/account/data';
import { Enrolment, useMe } from '#screens/account/enrolment';
import { Profile } from '#screens/account/profile';
import { Providers } from '#screens/account/providers';
import { Security } from '#screens/account/security';
import { Sessions } from '#screens/account/sessions';
import { acting } from '#screens/ui/acting';
import { client } from '#screens/ui/client';
import { data } from '#screens/ui/data';
import { useLoad } from '#screens/ui/hooks';
import { maySeeConsole } from '#screens/ui/permissions';
import { pathTo, start } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

const PAGES = [
  { page: '', label: 'account.profile', component: Profile },
  { page: 'security', label: 'account.security', component: Security },
  { page: 'sessions', label: 'account.sessions', component: Sessions },
  { page: 'providers', label: 'account.providers', component: Providers },
  { page: 'api-keys', label: 'account.apiKeys', component: ApiKeys },
  { page: 'data', label: 'account.data', component: Data },
] as const;

/** Pages about what this server does not offer are left out, and that where only the user does something. The console is there for whoever may see it. */
function useEntries() {
  const { body: ways } = useLoad(() => client.request('GET', '/auth/strategies'));
  const { body: me } = useMe();
  const hasConsole = !acting && data.screens.includes('console') && me && maySeeConsole(me);
  const isOn = {
    providers: ways?.some(({ kind }) => kind === 'redirect'),
    'api-keys': ways?.some(({ name }) => name === 'api-key'),
    data: !acting,
  };
  const own = PAGES.filter(({ page }) => !(page in isOn) || isOn[page as keyof typeof isOn]).map(
    ({ page, label }) => ({ path: pathTo('account', page), label: t(label) }),
  );
  return hasConsole ? [...own, { path: pathTo('console'), label: t('ui.console') }] : own;
}

start(
  'account',
  useEntries,
  () => [
    ...PAGES.map(({ page, component }) => (
      <Route key={page} path={pathTo('account', page)} component={component} />
    )),
    <Route key="default" default component={Profile} />,
  ],
  Enrolment,
);
