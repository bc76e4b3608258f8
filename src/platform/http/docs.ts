import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Router, type Request, type RequestHandler, type Response } from 'express';
import { lifetimes } from '#src/lifetimes';
import { languageOf } from '#src/platform/http/language';
import { prose, publicFor, sendPage, type PageContext } from '#src/platform/http/page';
import { Problem, type ProblemCode } from '#src/platform/http/problem';
import { problems, type Action } from '#src/platform/http/problems';
import { refuseMethod } from '#src/platform/http/route';
import type { Language } from '#src/platform/messages/language';
import { escapeHtml } from '#src/platform/text';

const ACTIONS: Record<Action, string> = {
  fix_request: 'Change the request, then send it again.',
  sign_in: 'Sign in again.',
  refresh: 'Get a new access token, then repeat the request once.',
  step_up:
    'Prove at `POST /auth/reauthenticate` what `acrValues` and `maxAge` want, then repeat the request.',
  enroll_factor: 'Enrol a second factor at `/me/factors`, then repeat the request.',
  second_factor: 'Ask for a second factor, and send it to `POST /auth/mfa`.',
  verify_email: 'Confirm your e-mail address, then sign in.',
  wait: 'Wait as long as `Retry-After` says, then repeat the request.',
  stop: 'Do not repeat the request.',
};

/** Swagger UI draws its icons from data: URLs and runs from its own files alone. */
const UI_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
const UI_FILES = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'];

/** Every path of `docsRoutes`. */
export const DOCS_PATHS: readonly string[] = [
  '/openapi.json',
  '/docs',
  '/docs/start.js',
  ...UI_FILES.map((file) => `/docs/${file}`),
  '/problems/:code',
];

const uiPage = (basePath: string) =>
  [
    '<!doctype html><html lang="en"><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width"><title>Sallyport API</title>\n',
    `<link rel="stylesheet" href="${basePath}/docs/swagger-ui.css">`,
    `<link rel="icon" href="${basePath}/docs/favicon-32x32.png"><div id="ui"></div>`,
    `<script src="${basePath}/docs/swagger-ui-bundle.js"></script>`,
    `<script src="${basePath}/docs/start.js"></script></html>`,
  ].join('');

/**
 * The page may be open at another address than the public one, and its policy lets it call its own origin only. So it
 * tries out requests there, whichever server the document names.
 */
const uiStart = (basePath: string) => `const base = location.origin + ${JSON.stringify(basePath)};
fetch(base + '/openapi.json').then((answer) => answer.json()).then((spec) => {
  spec.servers = [{ url: base }];
  SwaggerUIBundle({ spec, dom_id: '#ui', deepLinking: true, displayRequestDuration: true, validatorUrl: null });
});
`;

/** Pages for people: the API page, the OpenAPI document behind it, and an explanation of every problem. */
export function docsRoutes(ctx: PageContext, document: () => Promise<object>): Router {
  const { basePath } = ctx.settings;
  const folder = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = Router();
  /** `before` runs before the answer is said to be cacheable: a failure may not be. */
  const page = (path: string, handler: RequestHandler, ...before: RequestHandler[]) =>
    router
      .route(path)
      .get(...before, publicFor(lifetimes.publicPageSeconds), handler)
      .all(refuseMethod(['get']));

  page(
    '/openapi.json',
    async (_req, res) => void res.json(await document()),
    (_req, _res, next) => document().then(() => next()),
  );
  page('/docs', (_req, res) => {
    res.setHeader('Content-Security-Policy', UI_POLICY).type('html').send(uiPage(basePath));
  });
  page('/docs/start.js', (_req, res) => {
    res.type('js').send(uiStart(basePath));
  });
  for (const file of UI_FILES)
    page(`/docs/${file}`, (req, res) => {
      // These files are small and always sent whole: conditions and ranges are for caches.
      for (const condition of ['if-match', 'if-unmodified-since']) delete req.headers[condition];
      // The package may be installed below a folder whose name begins with a dot, as npx does.
      res.sendFile(join(folder, file), {
        cacheControl: false,
        acceptRanges: false,
        dotfiles: 'allow',
      });
    });
  // Runs before `page` says that the answer may be cached: a refusal may not.
  router.param('code', (_req, _res, next, code: string) =>
    next(Object.hasOwn(problems, code) ? undefined : new Problem('not_found')),
  );
  page('/problems/:code', (req, res) => explain(ctx, req, res));
  return router;
}

/** What is said to developers is English. The rest, and the name of the problem, is in the language of the reader. */
function explain(ctx: PageContext, req: Request, res: Response): void {
  const code = req.params['code'] as ProblemCode;
  const language = languageOf(ctx, req);
  const [status, action, , help] = problems[code];
  const title = language.text('problems', code);
  const [forStatus, forCode, next, docs] = (
    ['problem.status', 'problem.code', 'problem.next', 'problem.docs'] as const
  ).map((key) => escapeHtml(language.text('pages', key)));
  const english = englishIn(language);
  const facts = [
    [forStatus, '', String(status)],
    [forCode, '', `<code>${code}</code>`],
    [`${next} (<code>${action}</code>)`, english, prose(ACTIONS[action])],
  ].map(([name, marks, value]) => `<dt>${name}</dt><dd${marks}>${value}</dd>`);
  res.vary('Accept-Language');
  sendPage(ctx, res, {
    language,
    title,
    body: [
      `<h1>${escapeHtml(title)}</h1><p${english}>${prose(help)}</p><dl>${facts.join('')}</dl>`,
      `<p><a href="${ctx.settings.basePath}/docs">${docs}</a></p>`,
    ].join(''),
  });
}

/** The attributes of an English text on a page. */
const englishIn = ({ locale }: Language) => (locale === 'en' ? '' : ' lang="en" dir="ltr"');
