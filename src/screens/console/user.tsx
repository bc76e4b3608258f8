import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import type { AdminUserDetails } from '#src/client/index';
import { ask } from '#screens/console/access';
import { ActAs } from '#screens/console/user-act';
import { Dangers } from '#screens/console/user-dangers';
import { UserFactors } from '#screens/console/user-factors';
import { UserFailures } from '#screens/console/user-failures';
import { UserProfile } from '#screens/console/user-profile';
import { UserRoles } from '#screens/console/user-roles';
import { UserSessions } from '#screens/console/user-sessions';
import { calledAs, State } from '#screens/console/users';
import { Alert } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

/** What each part of the page gets. `changed`: the user is another one now, and is read again. */
export interface OfUser {
  user: AdminUserDetails;
  /** Of what `PATCH` changes. */
  etag: string | undefined;
  /** Counts changes. */
  version: number;
  changed: () => void;
}

export function UserPage() {
  const { params } = useRoute();
  const id = params['id']!;
  return <OneUser key={id} id={id} />;
}

async function detailsOf(id: string) {
  const answer = await ask('GET', '/admin/users/{id}', null, { params: { id } });
  if (!answer.ok) return answer;
  const etag = answer.headers.get('ETag') ?? undefined;
  return { ...answer, body: { user: answer.body, etag } };
}

function OneUser({ id }: { id: string }) {
  const { route, query } = useLocation();
  const { body, problem, reload } = useLoad(() => detailsOf(id), [id]);
  const [version, setVersion] = useState(0);
  const changed = () => {
    setVersion((now) => now + 1);
    void reload();
  };
  const back = (
    <p class="back">
      <a href={pathTo('console', 'users')}>{t('console.users.all')}</a>
    </p>
  );
  if (!body)
    return (
      <>
        {back}
        {problem ? <Alert problem={problem} /> : <p class="note">{t('ui.loading')}</p>}
      </>
    );
  const parts: OfUser = { ...body, version, changed };
  return (
    <>
      <div class="head">
        {back}
        <Title>{calledAs(body.user)}</Title>
        <State user={body.user} />
        <ActAs user={body.user} />
      </div>
      {'ended' in query && (
        <p class="alert">{t('console.users.actEnded', { name: calledAs(body.user) })}</p>
      )}
      <Alert problem={problem} />
      <UserProfile {...parts} />
      <UserRoles {...parts} />
      <UserFactors {...parts} />
      <UserFailures {...parts} />
      <UserSessions {...parts} />
      <Dangers {...parts} deleted={() => route(pathTo('console', 'users'))} />
    </>
  );
}
