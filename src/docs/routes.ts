import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Router, type RequestHandler } from 'express';
import { Problem, type ProblemCode } from '#src/core/problem';
import { problems } from '#src/core/problems';
import { prose, publicFor, sendPage } from '#src/http/page';
import { refuseMethod } from '#src/http/route';

const ACTIONS: Record<(typeof problems)[ProblemCode][1], string> = {
  fix_request: 'Change the request, then send it again.',
  sign_in: 'Sign in again.',
  refresh: 'Get a new access token, then repeat the request once.',
  step_up: 'Send your password to `POST /auth/reauthenticate`, then repeat the request.',
  verify_email: 'Confirm your e-mail address, then sign in.',
  wait: 'Wait as long as `Retry-After` says, then repeat the request.',
  stop: 'Do not repeat the request.',
};

const UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
// Swagger UI draws its icons from data: URLs and runs from its own files alone.
const UI_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const UI_PAGE = `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sallyport API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css"><link rel="icon" href="/docs/favicon-32x32.png"><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></html>`;
const UI_START =
  "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', deepLinking: true, displayRequestDuration: true, validatorUrl: null });";

/** What people read: the API page, the document behind it, and an explanation of every problem. */
export function pages(document: object): Router {
  const router = Router();
  const page = (path: string, ...handlers: RequestHandler[]) =>
    router
      .route(path)
      .get(publicFor(300), ...handlers)
      .all(refuseMethod(['get']));

  page('/openapi.json', (_req, res) => {
    res.json(document);
  });
  page('/docs', (_req, res) => {
    res.setHeader('Content-Security-Policy', UI_POLICY).type('html').send(UI_PAGE);
  });
  page('/docs/start.js', (_req, res) => {
    res.type('js').send(UI_START);
  });
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'])
    page(`/docs/${file}`, (req, res) => {
      // Whole or not at all: conditions and ranges are for caches, and these files are small.
      for (const condition of ['if-match', 'if-unmodified-since']) delete req.headers[condition];
      res.sendFile(join(UI, file), { cacheControl: false, acceptRanges: false });
    });
  // Before `page` says that the answer may be kept: a refusal may not.
  router.param('code', (_req, _res, next, code: string) => next(Object.hasOwn(problems, code) ? undefined : new Problem('not_found')));
  page('/problems/:code', (req, res) => explain(req.params['code'] as ProblemCode, res));
  return router;
}

function explain(code: ProblemCode, res: Parameters<RequestHandler>[1]): void {
  const [status, action, title, help] = problems[code];
  sendPage(
    res,
    title,
    `<h1>${prose(title)}</h1><p>${prose(help)}</p><dl><dt>Status</dt><dd>${status}</dd><dt>Code</dt><dd><code>${code}</code></dd><dt>What to do next (<code>${action}</code>)</dt><dd>${prose(ACTIONS[action])}</dd></dl><p><a href="/docs">API documentation</a></p>`,
  );
}
