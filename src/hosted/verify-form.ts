import { codeField, form, heading, link, mistakesOf, passwordField } from '#src/hosted/html';
import type { Content, Visit } from '#src/hosted/page';
import type { Field } from '#src/platform/http/fields';
import type { Problem } from '#src/platform/http/problem';
import type { KeyOf } from '#src/platform/messages/areas';

export const VERIFY = '/verify';
export const RESEND = '/verify/resend';

interface Given {
  email?: string | undefined;
  problem?: Problem | undefined;
  /** What is said first. */
  line?: KeyOf<'sign-in'>;
}

/** For the digits from the mail that asks to confirm an address. */
export function verifyForm(
  visit: Visit,
  { email, problem, line = email ? 'verify.sent' : 'verify.text' }: Given,
): Content {
  const { text } = visit;
  const body = [
    heading(text('verify.title'), text(line, { email: email ?? '' })),
    form(visit, {
      path: VERIFY,
      fields: fieldsOf(visit, email),
      button: 'verify.button',
      mistakes: mistakesOf(visit, problem, {
        invalid_code: { text: text('wrong-code'), field: 'code' },
      }),
    }),
    email
      ? form(visit, { path: RESEND, hidden: { email }, button: 'verify.again', other: true })
      : '',
    `<p class="links">${link(visit, '/sign-in', 'to-sign-in')}</p>`,
  ];
  return { title: text('verify.title'), body: body.join('') };
}

const fieldsOf = (visit: Visit, email: string | undefined): Field[] => [
  {
    name: 'email',
    label: visit.text('email'),
    type: 'email',
    autocomplete: 'username',
    value: email,
    maxLength: 254,
  },
  codeField(visit),
  passwordField(visit, {
    autocomplete: 'current-password',
    hint: visit.text('verify.password'),
  }),
];
