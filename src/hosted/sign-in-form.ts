import { queryOf } from '#src/hosted/flow';
import { form, heading, link, mistakesOf, pageAddress, passwordField } from '#src/hosted/html';
import type { Content, Given, Visit } from '#src/hosted/page';
import { signInOptions } from '#src/passkeys/sign-in';
import { attributes, type Field } from '#src/platform/http/fields';
import type { KeyOf } from '#src/platform/messages/areas';
import { escapeHtml } from '#src/platform/text';
import { pathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

export const PASSKEY = '/sign-in/passkey';
export const DIRECTORY = '/sign-in/ldap';

/** Every way to sign in that is switched on, for people. */
export function showSignIn(visit: Visit, { typed, problem }: Given): Content {
  const { ctx, text } = visit;
  const mistakes = mistakesOf(visit, problem, {
    invalid_credentials: {
      text: text(typed['credential'] === undefined ? 'wrong-password' : 'wrong-passkey'),
      ...(typed['credential'] === undefined && { field: 'password' }),
    },
    invalid_code: { text: text('too-late') },
  });
  const others = otherWays(visit);
  const signUp = ctx.settings.signup === 'open' ? link(visit, '/sign-up', 'to-sign-up') : '';
  const body = [
    heading(text('title'), noticeOf(visit)),
    form(visit, {
      path: '/sign-in',
      fields: fieldsOf(visit, typed['identifier']),
      button: 'sign-in',
      mistakes,
    }),
    `<p class="links">${link(visit, '/forgot-password', 'forgot')}${signUp}</p>`,
    others && `<p class="or">${escapeHtml(text('or'))}</p>${others}`,
  ];
  return { title: text('title'), body: body.join('') };
}

/** Said after a page that leads here. It is one of a few words: nobody else writes on this page. */
const noticeOf = ({ req, text }: Visit): string | undefined =>
  req.query['done'] === 'verified' ? text('is-confirmed') : undefined;

function fieldsOf(visit: Visit, typed: string | undefined): Field[] {
  const { ctx, flow, text } = visit;
  const passkeys = isOn(ctx.strategies.on, 'passkey');
  return [
    {
      name: 'identifier',
      label: text('identifier'),
      autocomplete: passkeys ? 'username webauthn' : 'username',
      value: typed ?? flow.loginHint,
      maxLength: 512,
    },
    passwordField(visit, { autocomplete: 'current-password' }),
  ];
}

const isOn = (strategies: readonly AuthStrategy[], name: string) =>
  strategies.some((each) => each.name === name);

function otherWays(visit: Visit): string {
  const { ctx, text } = visit;
  const { on } = ctx.strategies;
  const item = (address: string, label: string) =>
    `<li><a href="${escapeHtml(address)}">${escapeHtml(label)}</a></li>`;
  const pageItem = (strategy: string, path: string, label: KeyOf<'sign-in'>) =>
    isOn(on, strategy) ? [item(pageAddress(visit, path), text(label))] : [];
  const items = [
    ...on
      .filter(({ kind }) => kind === 'redirect')
      .map((each) => item(startOf(visit, each), text('with', { provider: labelOf(each) }))),
    ...pageItem('ldap', DIRECTORY, 'directory.title'),
    ...pageItem('email-code', '/sign-in/code', 'by-code'),
  ];
  const list = items.length > 0 ? `<ul>${items.join('')}</ul>` : '';
  return (isOn(on, 'passkey') ? passkeyForm(visit) : '') + list;
}

/** `Sign in with GitHub` says what a provider is called. */
const labelOf = ({ name, summary }: AuthStrategy): string =>
  /^Sign in with (?:an? )?(\S.{0,40})$/.exec(summary)?.[1] ?? name;

/** The route that sends the browser to a provider, and from there to the app. */
function startOf({ ctx, flow, language }: Visit, strategy: AuthStrategy): string {
  const { authorizationParameters = [] } = strategy;
  const { redirectUri, codeChallenge, state } = flow.app!;
  const kept = new URLSearchParams(flow.query);
  const hints = Object.fromEntries(
    authorizationParameters.map((name) => [name, kept.get(name) ?? undefined]),
  );
  const { locale: hostedLocale } = language;
  const query = queryOf({ ...hints, redirectUri, codeChallenge, state, hostedLocale });
  return ctx.settings.basePath + pathOf(strategy) + query;
}

/** The script shows it where a browser knows passkeys. */
function passkeyForm(visit: Visit): string {
  const options = signInOptions(visit.ctx);
  const given = {
    id: 'passkey',
    hidden: true,
    'data-options': JSON.stringify(options),
    'data-renew': `${visit.ctx.settings.basePath}/auth/passkey/options`,
  };
  return form(visit, {
    path: PASSKEY,
    hidden: { challengeToken: '', credential: '' },
    button: 'by-passkey',
    more: attributes(given),
    other: true,
  });
}
