import { Fragment, render, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { LocationProvider, Router, useLocation } from 'preact-iso';
import type { Problem } from '#src/client/index';
import { acting, stopActing } from '#screens/ui/acting';
import { ActingBanner } from '#screens/ui/acting-banner';
import { Announcements } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Alert, Button } from '#screens/ui/controls';
import { basePath, data } from '#screens/ui/data';
import { keepFocus } from '#screens/ui/focus';
import { useSession } from '#screens/ui/hooks';
import { Prompts } from '#screens/ui/prompt';
import { t } from '#screens/ui/text';
import { Who } from '#screens/ui/who';

interface Entry {
  path: string;
  label: string;
}

/** Where the user wanted to go before the sign-in. */
const RETURN_TO = 'sallyport.returnTo';
/** The provider that the user went to link. The page that sent them there takes what came back. */
const LINKING = 'sallyport.linking';

/** Leaves for a provider, whose account then belongs to the user, too. */
export async function leaveToLink(home: string, provider: string): Promise<void> {
  sessionStorage.setItem(RETURN_TO, location.pathname);
  sessionStorage.setItem(LINKING, provider);
  location.assign(await client.redirectTo(provider, `${data.publicUrl}/${home}`));
}

/** What came back from a provider, once. */
export function takeLink(): { address: string; provider: string } | undefined {
  const { href: address, pathname, search } = location;
  const provider = sessionStorage.getItem(LINKING);
  sessionStorage.removeItem(LINKING);
  if (!provider || !new URLSearchParams(search).has('state')) return undefined;
  history.replaceState(null, '', pathname);
  return { address, provider };
}

/** Leaves for the hosted sign-in, and comes back to the address that is open now. */
async function leave(home: string): Promise<void> {
  sessionStorage.setItem(RETURN_TO, location.pathname + location.search);
  const redirectUri = `${data.publicUrl}/${home}`;
  const { codeChallenge, state } = await client.newChallenge();
  const query = new URLSearchParams({ redirectUri, codeChallenge, state });
  location.assign(`${data.publicUrl}/sign-in?${query}`);
}

/** Takes the code of a sign-in out of the address, so that neither the history nor a reload has it. */
async function arrive(): Promise<Problem | undefined> {
  const address = location.href;
  const query = new URLSearchParams(location.search);
  if (!query.has('state')) return undefined;
  const isLink = sessionStorage.getItem(LINKING) !== null;
  const returnTo = sessionStorage.getItem(RETURN_TO) ?? location.pathname;
  history.replaceState(null, '', isLink ? returnTo + location.search : returnTo);
  sessionStorage.removeItem(RETURN_TO);
  dispatchEvent(new PopStateEvent('popstate')); // tells the router
  if (isLink) return undefined;
  const answer = await client.comeBack(address);
  return answer?.ok === false ? answer.body : undefined;
}

/** The page in another language. The server writes the texts into it, and does not know there who is signed in. */
export const inLanguage = (locale: string | null): void =>
  location.replace(locale ? `${location.pathname}?ui_locales=${locale}` : location.pathname);

/** Shows `children` to whoever is signed in, and sends everybody else to sign in. */
function Gate({ home, children }: { home: string; children: ComponentChildren }) {
  const { status } = useSession();
  const [problem, setProblem] = useState<Problem | null>(); // undefined: not known yet
  useEffect(() => void arrive().then((found) => setProblem(found ?? null)), []);
  useEffect(() => {
    if (status !== 'signed_out' || problem !== null) return;
    if (acting) stopActing({ isLost: true });
    else void leave(home);
  }, [status, problem]);
  if (status === 'signed_in') return <>{children}</>;
  if (!problem) return <p class="note">{t('ui.loading')}</p>;
  return (
    <main>
      <Alert problem={problem} />
      <Button kind="primary" onClick={() => void leave(home)}>
        {t('ui.signIn')}
      </Button>
    </main>
  );
}

/** On a phone the menu is wider than the window, and scrolls: the open entry is in sight. */
function centre(list: HTMLElement): void {
  const middle = (element: Element) => {
    const { left, width } = element.getBoundingClientRect();
    return left + width / 2;
  };
  const entry = list.querySelector('[aria-current]');
  if (entry) list.scrollBy({ left: middle(entry) - middle(list), behavior: 'instant' });
}

/** The first page of a screen is open at its own address only: one below it may be of a page that is not in the menu. */
function Navigation({ home, entries }: { home: string; entries: readonly Entry[] }) {
  const { path: open } = useLocation();
  const isOpen = (path: string) =>
    open === path || (path !== pathTo(home) && open.startsWith(`${path}/`));
  const nearest = entries.findLast(({ path }) => isOpen(path));
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => {
    const menu = list.current!;
    const observer = new ResizeObserver(() => centre(menu)); // once at first, too
    observer.observe(menu);
    return () => observer.disconnect();
  }, [nearest?.path, entries.length]);
  return (
    <nav aria-label={t('ui.menu')}>
      <ul ref={list}>
        {entries.map((entry) => (
          <li key={entry.path}>
            <a href={entry.path} aria-current={entry === nearest ? 'page' : undefined}>
              {entry.label}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** The name of the page: on the page, and in the title of the window. Whoever came by a link is there at once. */
export function Title({ children }: { children: string }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${children} · ${data.brandName ?? 'Sallyport'}`;
    if (document.activeElement?.closest('nav, main')) heading.current?.focus();
  }, [children]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}

/** Address of a page below the screen. */
export const pathTo = (home: string, page = ''): string =>
  `${basePath}/${home}${page && `/${page}`}`;

interface Parts {
  home: string;
  /** The menu. A hook. */
  entries: () => readonly Entry[];
  /** The routes of preact-iso. A hook. */
  pages: () => ComponentChildren;
}

const Columns = ({ home, entries, pages }: Parts) => (
  <div class="room">
    <div class="columns">
      <Navigation home={home} entries={entries()} />
      <main id="main" tabIndex={-1}>
        <Router>{pages() as never}</Router>
      </main>
    </div>
  </div>
);

/** Puts a screen on the page. `Around` may show something else to some of those who are signed in. */
export function start(
  home: string,
  entries: Parts['entries'],
  pages: Parts['pages'],
  Around: ComponentType<{ children: ComponentChildren }> = Fragment as never,
): void {
  const { origin, pathname, search } = location;
  const { origin: own } = new URL(data.publicUrl);
  if (origin !== own) return location.replace(own + pathname + search); // cookies and sign-ins belong there
  const screen = (
    <LocationProvider scope={pathTo(home)}>
      <Gate home={home}>
        {acting ? <ActingBanner /> : <Who home={home} />}
        <Around>
          <Columns home={home} entries={entries} pages={pages} />
        </Around>
      </Gate>
      <Prompts />
      <Announcements />
    </LocationProvider>
  );
  const place = document.querySelector('#screen')!;
  render(screen, place);
  keepFocus(place);
}
