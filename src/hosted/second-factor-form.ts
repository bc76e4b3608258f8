import { nameOf, SECOND_FACTOR } from '#src/authentication/code-for-app';
import { factorOptions } from '#src/authentication/factor-answers';
import { readWaitingSignIn } from '#src/authentication/second-factor';
import { availableKinds } from '#src/factors/kinds';
import { codeField, form, heading, link, mistakesOf, paragraph } from '#src/hosted/html';
import type { Content, Visit } from '#src/hosted/page';
import type { Typed } from '#src/hosted/typed';
import { attributes, type Mistakes } from '#src/platform/http/fields';
import { Problem } from '#src/platform/http/problem';
import { escapeHtml } from '#src/platform/text';

/**
 * Asks for a second factor. The token travels in the form, never in an address.
 * @throws {Problem} 400 `invalid_code` for a token that is void, or of another app
 */
export async function secondFactorForm(
  visit: Visit,
  mfaToken: string,
  problem?: Problem,
  typed: Typed = {},
): Promise<Content> {
  const { ctx, text, flow } = visit;
  const { user, request, grant } = await readWaitingSignIn(ctx, mfaToken);
  if (grant.data.method.app !== nameOf(flow.app!)) throw new Problem('invalid_code');
  const kinds = await availableKinds(ctx, user.id);
  const answered = typed['recoveryCode'] === undefined ? 'code' : 'recoveryCode';
  const wrong = { text: text('wrong-code'), field: answered };
  const mistakes = mistakesOf(
    visit,
    problem,
    typed['credential'] === undefined
      ? { invalid_credentials: wrong }
      : { invalid_credentials: { text: text('wrong-passkey') } },
  );
  const options = kinds.includes('passkey') ? await factorOptions(ctx, request) : undefined;
  const body = [
    heading(text('factor.title'), text('factor.text')),
    kinds.includes('totp') ? appForm(visit, mfaToken, mistakes) : '',
    options ? passkeyForm(visit, mfaToken, options) : '',
    kinds.includes('recovery_code') ? recoveryForm(visit, mfaToken, mistakes) : '',
    `<p class="links">${link(visit, '/sign-in', 'to-sign-in')}</p>`,
  ];
  return { title: text('factor.title'), body: body.join('') };
}

const appForm = (visit: Visit, mfaToken: string, mistakes: Mistakes) =>
  form(visit, {
    path: SECOND_FACTOR,
    hidden: { mfaToken },
    fields: [codeField(visit, 'factor.code')],
    button: 'factor.button',
    mistakes,
  });

/** The script shows it where a browser knows passkeys. */
function passkeyForm(visit: Visit, mfaToken: string, options: object): string {
  const given = { id: 'passkey', hidden: true, 'data-options': JSON.stringify(options) };
  const without = paragraph(visit.text('factor.needs-script'));
  return [
    form(visit, {
      path: SECOND_FACTOR,
      hidden: { mfaToken, credential: '' },
      button: 'factor.passkey',
      more: attributes(given),
      other: true,
    }),
    `<noscript>${without}</noscript>`,
  ].join('');
}

function recoveryForm(visit: Visit, mfaToken: string, mistakes: Mistakes): string {
  const { text } = visit;
  const fields = [
    {
      name: 'recoveryCode',
      label: text('factor.recovery-code'),
      autocomplete: 'off',
      maxLength: 64,
    },
  ];
  const open = mistakes.fields['recoveryCode'] === undefined ? '' : ' open';
  const inside = form(visit, {
    path: SECOND_FACTOR,
    hidden: { mfaToken },
    fields,
    button: 'factor.button',
    mistakes: { fields: mistakes.fields },
  });
  return `<details${open}><summary>${escapeHtml(text('factor.recovery'))}</summary>${inside}</details>`;
}
