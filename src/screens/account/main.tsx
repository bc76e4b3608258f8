import { Route } from 'preact-iso';
import { Profile } from '#screens/account/profile';
import { pathTo, start } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

start(
  'account',
  () => [{ path: pathTo('account'), label: t('account.profile') }],
  () => <Route path={pathTo('account')} component={Profile} />,
);
