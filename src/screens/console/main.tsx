import { Route } from 'preact-iso';
import { Users } from '#screens/console/users';
import { pathTo, start } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

start(
  'console',
  () => [{ path: pathTo('console'), label: t('console.users') }],
  () => <Route path={pathTo('console')} component={Users} />,
);
