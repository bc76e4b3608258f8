import type { ComponentType } from 'preact';
import { useEffect } from 'preact/hooks';
import { Route, useLocation } from 'preact-iso';
import { allowed, useAccess, WithAccess } from '#screens/console/access';
import { Invitations } from '#screens/console/invitations';
import { Audit } from '#screens/console/operator/audit';
import { Keys } from '#screens/console/operator/keys';
import { Mails } from '#screens/console/operator/mails';
import { Overview } from '#screens/console/operator/overview';
import { Services } from '#screens/console/operator/services';
import { Settings } from '#screens/console/operator/settings';
import { WebhookPage } from '#screens/console/operator/webhook';
import { Webhooks } from '#screens/console/operator/webhooks';
import { RolePage } from '#screens/console/role';
import { Roles } from '#screens/console/roles';
import { UserPage } from '#screens/console/user';
import { Users } from '#screens/console/users';
import type { Opener } from '#screens/ui/permissions';
import { pathTo, start, Title } from '#screens/ui/screen';
import { t, type Message } from '#screens/ui/text';

/** Address below `/console`, the permission that it needs, and its name in the menu if it is there. */
type Page = [page: string, needs: Opener, component: ComponentType, label?: Message];

const pages: readonly Page[] = [
  ['', 'server:read', Overview, 'console.stats.title'],
  ['users', 'users:read', Users, 'console.users.title'],
  ['users/:id', 'users:read', UserPage],
  ['invitations', 'users:read', Invitations, 'console.invitations.title'],
  ['roles', 'roles:read', Roles, 'console.roles.title'],
  ['roles/:role', 'roles:read', RolePage],
  ['audit', 'audit:read', Audit, 'console.audit.title'],
  ['webhooks', 'webhooks:read', Webhooks, 'console.webhooks.title'],
  ['webhooks/:id', 'webhooks:read', WebhookPage],
  ['services', 'services:read', Services, 'console.services.title'],
  ['mails', 'mails:read', Mails, 'console.mails.title'],
  ['keys', 'keys:rotate', Keys, 'console.keys.title'],
  ['settings', 'server:read', Settings, 'console.settings.title'],
];

const routes = pages.map(([page, needs, component]) => (
  <Route key={page} path={pathTo('console', page)} component={allowed(needs, component)} />
));

function useEntries() {
  const { may } = useAccess();
  return pages.flatMap(([page, needs, , label]) =>
    label && may(needs) ? [{ path: pathTo('console', page), label: t(label) }] : [],
  );
}

/** The numbers, or the first page of the menu for whoever may not see them. */
const Home = () => (useAccess().may('server:read') ? <Overview /> : <Elsewhere />);

/** An address without a page: the first one of the menu. */
function Elsewhere() {
  const { route } = useLocation();
  const [first] = useEntries();
  useEffect(() => first && route(first.path, true), [first?.path]);
  return first ? null : <Title>{t('console.access.refused')}</Title>;
}

start(
  'console',
  useEntries,
  () => [
    <Route key="home" path={pathTo('console')} component={Home} />,
    ...routes,
    <Route key="elsewhere" default component={Elsewhere} />,
  ],
  WithAccess,
);
