import { signInBy } from '#src/hosted/finish';
import { queryOf } from '#src/hosted/flow';
import { pageAddress } from '#src/hosted/html';
import type { Ending, HostedPage, Visit } from '#src/hosted/page';
import { PASSKEY, showSignIn } from '#src/hosted/sign-in-form';
import { jsonIn } from '#src/hosted/typed';
import { Problem } from '#src/platform/http/problem';

/** As `POST /auth/login`. */
export const signInPage: HostedPage = {
  path: '/sign-in',
  forApp: true,
  show: showSignIn,
  work: (visit, typed) =>
    signInBy(visit, 'local', typed).catch((error: unknown) =>
      unlessUnverified(visit, error, typed),
    ),
};

/** As `POST /auth/passkey`. The script fills the form in. */
export const passkeyPage: HostedPage = {
  path: PASSKEY,
  forApp: true,
  show: (visit, given) =>
    given.problem ? showSignIn(visit, given) : { location: pageAddress(visit, '/sign-in') },
  work: (visit, { credential = '', ...rest }) =>
    signInBy(visit, 'passkey', { ...rest, credential: jsonIn(credential) }),
};

/** Whoever has to confirm their address first is led there. */
function unlessUnverified(visit: Visit, error: unknown, typed: { identifier?: string }): Ending {
  if (!(error instanceof Problem) || error.code !== 'email_unverified') throw error;
  const { identifier } = typed;
  const kept = Object.fromEntries(new URLSearchParams(visit.flow.query));
  const email = identifier?.includes('@') ? identifier : undefined;
  const query = queryOf({ ...kept, login_hint: email, why: 'unverified' });
  return { location: `${visit.ctx.settings.basePath}/verify${query}` };
}
