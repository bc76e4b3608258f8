import { createContext, type ComponentChildren } from 'preact';
import { useContext, useEffect } from 'preact/hooks';
import { useLocation } from 'preact-iso';
import type { OwnUser } from '#src/client/index';
import { acting } from '#screens/ui/acting';
import { client } from '#screens/ui/client';
import { data } from '#screens/ui/data';
import { useLoad, type Loaded } from '#screens/ui/hooks';
import { inLanguage, pathTo } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

/** Asks again whether the user may go on: call it when they have another factor. */
export const Recheck = createContext<() => Promise<void>>(async () => {});

const Me = createContext<Loaded<OwnUser> | null>(null);
/** Who is signed in, asked once for all pages. */
export const useMe = (): Loaded<OwnUser> => useContext(Me)!;

/** The language that the user has chosen, also where the browser asks for another one. Whoever acts for them keeps their own. */
function useOwnLanguage(locale: OwnUser['locale'] | undefined): void {
  useEffect(() => {
    const isAsked = new URLSearchParams(location.search).has('ui_locales');
    if (locale && !acting && locale !== data.locale && !isAsked) inLanguage(locale);
  }, [locale]);
}

/** A user whose role demands a second factor sees nothing but the page where they add one. */
export function Enrolment({ children }: { children?: ComponentChildren }) {
  const { problem, reload } = useLoad(() =>
    client.request('GET', '/me/sessions', null, { query: { limit: 1 } }),
  );
  const me = useLoad(() => client.request('GET', '/me'));
  useOwnLanguage(me.body?.locale);
  const { path, route } = useLocation();
  const security = pathTo('account', 'security');
  const mustEnrol = problem?.code === 'mfa_enrollment_required';
  useEffect(() => {
    if (mustEnrol && path !== security) route(security, true);
  }, [mustEnrol, path, security, route]);
  return (
    <Recheck.Provider value={reload}>
      {mustEnrol && <p class="alert wide">{t('account.mustEnrol')}</p>}
      <Me.Provider value={me}>{children}</Me.Provider>
    </Recheck.Provider>
  );
}
