import { refuseHead } from '#src/authentication/redirect-routes';
import type { Context } from '#src/context';
import { authorize, AuthorizeQuery } from '#src/oauth/authorize';
import { languageOf } from '#src/platform/http/language';
import { prose, sendPage } from '#src/platform/http/page';
import { get, type Route } from '#src/platform/http/route';
import { escapeHtml } from '#src/platform/text';

export const authorizeRoutes = (ctx: Context): Route[] => [
  get(
    '/oauth/authorize',
    [refuseHead],
    {
      operationId: 'authorize',
      tag: 'Services',
      summary: 'Begin a sign-in as an OAuth client',
      description:
        'RFC 6749 §4.1, for public clients, with PKCE (`code_challenge_method=S256`). `provider` is the name of a provider; without it, and if there are several, the person chooses. The browser comes back to `redirect_uri` with `code` and `state`, or with `error`. Take the code to `POST /oauth/token`.',
      query: AuthorizeQuery(ctx),
      status: 302,
    },
    (req, res) => {
      const next = authorize(ctx, req.query);
      if ('location' in next) return void res.setHeader('Location', next.location);
      const language = languageOf(ctx, req);
      const title = language.text('pages', 'authorize.title');
      const body = `<h1>${escapeHtml(title)}</h1><ul>${listOf(next.choices)}</ul>`;
      sendPage(ctx, res, { language, title, body });
    },
  ),
];

const listOf = (choices: { name: string; address: string }[]) =>
  choices
    .map(({ name, address }) => `<li><a href="${escapeHtml(address)}">${prose(name)}</a></li>`)
    .join('');
