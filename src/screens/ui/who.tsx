import { useEffect, useState } from 'preact/hooks';
import type { User } from '#src/client/index';
import { client } from '#screens/ui/client';
import { Button } from '#screens/ui/controls';
import { useSession } from '#screens/ui/hooks';
import { t } from '#screens/ui/text';

type Named = Pick<User, 'id' | 'name' | 'username' | 'email'>;

/** The line that is on the page. */
const host: { show?: (user: Named) => void } = {};

/** The user has other names now. Their tokens say so only after the next refresh. */
export const showNames = (user: Named): void => host.show?.(user);

/** Who is signed in, and the way out. */
export function Who() {
  const { user } = useSession();
  const [renamed, setRenamed] = useState<Named>();
  useEffect(() => {
    host.show = setRenamed;
  }, []);
  const { name, username, email } = (renamed?.id === user?.id ? renamed : user) ?? {};
  return (
    <p class="who">
      <span>{name ?? username ?? email}</span>
      <Button onClick={() => void client.signOut()}>{t('ui.signOut')}</Button>
    </p>
  );
}
