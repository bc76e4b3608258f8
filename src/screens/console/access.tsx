import { createContext, type ComponentChildren, type ComponentType } from 'preact';
import { useContext, useEffect, useRef, useState } from 'preact/hooks';
import type { Client, OwnUser, Result } from '#src/client/index';
import { client } from '#screens/ui/client';
import { Alert, Card } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { grants, maySeeConsole } from '#screens/ui/permissions';
import { pathTo, Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

type AnyRequest = (...given: unknown[]) => Promise<Result<unknown>>;

const refusals = new EventTarget();

/** `client.request`. A refusal for want of a permission makes the console read again what the user may do. */
export const ask = (async (...given: unknown[]) => {
  const answer = await (client.request as AnyRequest)(...given);
  if (!answer.ok && answer.body.code === 'forbidden')
    refusals.dispatchEvent(new Event('forbidden'));
  return answer;
}) as Client['request'];

interface Access {
  me: OwnUser;
  may: (permission: string) => boolean;
}
const AccessContext = createContext<Access | null>(null);

/** Who is signed in, and what they may do. The server decides; this only leaves out what it would refuse. */
export const useAccess = (): Access => useContext(AccessContext)!;

/** Shows `children` to whoever may do something in the console. */
export function WithAccess({ children }: { children: ComponentChildren }) {
  const { body: me, problem, reload } = useLoad(() => client.request('GET', '/me'));
  const [isLess, setLess] = useState(false);
  const before = useRef<readonly string[]>([]);
  useEffect(() => {
    const again = () => void reload();
    refusals.addEventListener('forbidden', again);
    return () => refusals.removeEventListener('forbidden', again);
  }, [reload]);
  useEffect(() => {
    if (!me) return;
    setLess((was) => was || before.current.some((each) => !grants(me.permissions, each)));
    before.current = me.permissions;
  }, [me]);
  if (!me) return problem ? <Alert problem={problem} /> : <p class="note">{t('ui.loading')}</p>;
  const may = (permission: string) => grants(me.permissions, permission);
  return (
    <AccessContext.Provider value={{ me, may }}>
      {isLess && (
        <p class="alert wide" role="alert">
          {t('console.access.less')}
        </p>
      )}
      {maySeeConsole(me) ? children : <Nothing />}
    </AccessContext.Provider>
  );
}

const Nothing = () => (
  <div class="columns">
    <main>
      <Title>{t('console.access.none')}</Title>
      <Card>
        <p>{t('console.access.noneWhy')}</p>
        <p>
          <a href={pathTo('account')}>{t('console.access.account')}</a>
        </p>
      </Card>
    </main>
  </div>
);

const Refused = ({ permission }: { permission: string }) => (
  <>
    <Title>{t('console.access.refused')}</Title>
    <Card>
      <p>{t('ui.lacks', { permissions: permission })}</p>
    </Card>
  </>
);

/** The page for whoever has the permission, and a sentence for everybody else. */
export const allowed =
  <P extends object>(permission: string, Page: ComponentType<P>) =>
  (props: P) =>
    useAccess().may(permission) ? <Page {...props} /> : <Refused permission={permission} />;
