import { useEffect, useState } from 'preact/hooks';
import type { User } from '#src/client/index';
import { client } from '#screens/ui/client';
import { Button } from '#screens/ui/controls';
import { basePath, data } from '#screens/ui/data';
import { useSession } from '#screens/ui/hooks';
import { t } from '#screens/ui/text';

type Named = Pick<User, 'id' | 'name' | 'username' | 'email'>;

/** The line that is on the page. */
const host: { show?: (user: Named) => void } = {};

/** The user has other names now. Their tokens say so only after the next refresh. */
export const showNames = (user: Named): void => host.show?.(user);

/** Who is signed in, the way to their account, and the way out. */
export function Who({ home }: { home: string }) {
  const { user } = useSession();
  const [renamed, setRenamed] = useState<Named>();
  useEffect(() => {
    host.show = setRenamed;
  }, []);
  const { name, username, email } = (renamed?.id === user?.id ? renamed : user) ?? {};
  const called = name ?? username ?? email;
  const hasLink = home !== 'account' && data.screens.includes('account');
  return (
    <p class="who">
      {hasLink ? <a href={`${basePath}/account`}>{called}</a> : <span>{called}</span>}
      <Button onClick={() => void client.signOut()}>{t('ui.signOut')}</Button>
    </p>
  );
}
