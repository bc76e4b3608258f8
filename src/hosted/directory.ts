import { signInBy } from '#src/hosted/finish';
import { form, heading, link, mistakesOf, passwordField } from '#src/hosted/html';
import type { Content, Given, HostedPage, Visit } from '#src/hosted/page';
import { DIRECTORY } from '#src/hosted/sign-in-form';

/** As `POST /auth/ldap`: with the name and the password of the directory. */
export const directoryPage: HostedPage = {
  path: DIRECTORY,
  forApp: true,
  show: showForm,
  work: (visit, typed) => signInBy(visit, 'ldap', typed),
};

function showForm(visit: Visit, { typed, problem }: Given): Content {
  const { text, flow } = visit;
  const wrong = { text: text('wrong-password'), field: 'password' };
  const username = {
    name: 'username',
    label: text('directory.name'),
    autocomplete: 'username',
    value: typed['username'] ?? flow.loginHint,
    maxLength: 256,
  };
  const body = [
    heading(text('directory.title')),
    form(visit, {
      path: DIRECTORY,
      fields: [username, passwordField(visit, { autocomplete: 'current-password' })],
      button: 'sign-in',
      mistakes: mistakesOf(visit, problem, { invalid_credentials: wrong }),
    }),
    `<p class="links">${link(visit, '/sign-in', 'to-sign-in')}</p>`,
  ];
  return { title: text('directory.title'), body: body.join('') };
}
