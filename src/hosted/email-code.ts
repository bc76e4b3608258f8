import { limitStep, runStep } from '#src/authentication/run-step';
import { signInBy, strategyNamed } from '#src/hosted/finish';
import { codeField, form, heading, link, mistakesOf, pageAddress } from '#src/hosted/html';
import { pass, type Content, type Given, type HostedPage, type Visit } from '#src/hosted/page';
import { digitsOf, type Typed } from '#src/hosted/typed';
import { parsed } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';

const STRATEGY = 'email-code';
const ASK = '/sign-in/code';
const ENTER = '/sign-in/code/enter';

/** Asks for a code by mail, as `POST /auth/email-code/request` does. */
export const askForCodePage: HostedPage = {
  path: ASK,
  forApp: true,
  show: showAsk,
  async work(visit, { email = '', ...rest }) {
    const { ctx, req } = visit;
    const strategy = strategyNamed(visit, STRATEGY);
    const step = strategy?.steps?.['request'];
    if (!strategy || !step) throw new Problem('not_found');
    const body = parsed(step.body, { email, ...rest });
    await pass(limitStep(ctx, strategy, 'request', step), visit);
    const { requestToken } = (await runStep(ctx, req, strategy, step, body)) as {
      requestToken: string;
    };
    return enterForm(visit, { email, requestToken });
  },
};

/** Takes the code. The token of the request travels in the form, never in an address. */
export const enterCodePage: HostedPage = {
  path: ENTER,
  forApp: true,
  show: (visit, { typed, problem }) =>
    problem && typed['requestToken'] !== undefined
      ? enterForm(visit, typed, problem)
      : { location: pageAddress(visit, ASK) },
  work(visit, typed) {
    const { email: _, code, ...rest } = typed;
    return signInBy(visit, STRATEGY, { ...rest, code: digitsOf(code) });
  },
};

function showAsk(visit: Visit, { typed, problem }: Given): Content {
  const { text, flow } = visit;
  const hint = flow.loginHint?.includes('@') ? flow.loginHint : undefined;
  const email = {
    name: 'email',
    label: text('email'),
    type: 'email',
    autocomplete: 'email',
    value: typed['email'] ?? hint,
    maxLength: 254,
  } as const;
  const body = [
    heading(text('code.title'), text('code.text')),
    form(visit, {
      path: ASK,
      fields: [email],
      button: 'code.button',
      mistakes: mistakesOf(visit, problem),
    }),
    `<p class="links">${link(visit, '/sign-in', 'to-sign-in')}</p>`,
  ];
  return { title: text('code.title'), body: body.join('') };
}

function enterForm(
  visit: Visit,
  { email = '', requestToken = '' }: Typed,
  problem?: Problem,
): Content {
  const { text } = visit;
  const wrong = { text: text('wrong-code'), field: 'code' };
  const body = [
    heading(text('code.sent-title'), text('code.sent', { email })),
    form(visit, {
      path: ENTER,
      hidden: { requestToken, email },
      fields: [codeField(visit)],
      button: 'sign-in',
      mistakes: mistakesOf(visit, problem, { invalid_credentials: wrong, invalid_code: wrong }),
    }),
    form(visit, { path: ASK, hidden: { email }, button: 'code.again', other: true }),
    `<p class="links">${link(visit, '/sign-in', 'to-sign-in')}</p>`,
  ];
  return { title: text('code.sent-title'), body: body.join('') };
}
