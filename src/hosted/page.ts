import type { Request, RequestHandler, Response, Router } from 'express';
import type { Context } from '#src/context';
import { flowOf, type Flow } from '#src/hosted/flow';
import type { Typed } from '#src/hosted/typed';
import { smallFormBody } from '#src/platform/http/body';
import { errorHandler, problemOf } from '#src/platform/http/error-handler';
import { pageError } from '#src/platform/http/page-error';
import { languageOf } from '#src/platform/http/language';
import { FORM_REFERRER, fromOwnPage } from '#src/platform/http/own-origin';
import { renderPage, sourceOf } from '#src/platform/http/page';
import { Problem } from '#src/platform/http/problem';
import { refuseMethod, runOnSuccess, type Guard } from '#src/platform/http/route';
import type { KeyOf } from '#src/platform/messages/areas';
import type { Language } from '#src/platform/messages/language';
import type { Values } from '#src/platform/messages/message';

/** A request for a hosted page. */
export interface Visit {
  ctx: Context;
  req: Request;
  res: Response;
  flow: Flow;
  language: Language;
  /** A text of these pages. Plain: whoever puts it into HTML escapes it. */
  text: (key: KeyOf<'sign-in'>, values?: Values) => string;
}
/** HTML. Texts in it are escaped already. */
export interface Content {
  title: string;
  body: string;
}
/** What the browser gets: another address to go to, or a page. */
export type Ending = { location: string } | Content;

/** What was typed, and what is wrong with it. */
export interface Given {
  typed: Typed;
  problem?: Problem;
}

export interface HostedPage {
  path: string;
  /** The page needs an app that waits for the sign-in. */
  forApp?: true;
  show(visit: Visit, given: Given): Ending | Promise<Ending>;
  /** Takes the form. What it refuses is shown by `show`. */
  work(visit: Visit, typed: Typed): Promise<Ending>;
}

/** Mounts each page at its path: GET shows the form, POST takes it from a page of this server. */
export function mountHostedPages(
  ctx: Context,
  router: Router,
  pages: readonly HostedPage[],
  scripts: readonly string[],
): void {
  const fromHere = fromOwnPage(ctx);
  for (const page of pages) {
    const on = (handle: Handle) => onVisit(ctx, scripts, page, handle);
    router
      .route(page.path)
      .get(on((visit) => page.show(visit, { typed: {} })))
      .post(
        ...smallFormBody,
        fromHere,
        on((visit) => submit(visit, page)),
      )
      .all(refuseMethod(['get', 'post']), pageError(ctx));
  }
}

/** With a problem, the answer has its status and its headers. */
type Shown = Ending & { problem?: Problem };
type Handle = (visit: Visit) => Shown | Promise<Shown>;

const onVisit =
  (ctx: Context, scripts: readonly string[], page: HostedPage, handle: Handle) =>
  async (req: Request, res: Response): Promise<void> => {
    const language = languageOf(ctx, req);
    const text: Visit['text'] = (key, values) => language.text('sign-in', key, values);
    res.setHeader('Referrer-Policy', FORM_REFERRER);
    const visit = { ctx, req, res, flow: flowOf(ctx, req), language, text };
    const ending = page.forApp && !visit.flow.app ? withoutApp(visit) : await handle(visit);
    send(visit, ending, scripts);
  };

/** Nobody waits for a sign-in: the page of the user's own account begins one itself. */
function withoutApp({ ctx: { settings }, flow }: Visit): Ending {
  if (settings.hostedPages.includes('account'))
    return { location: `${settings.basePath}/account${flow.query}` };
  const message = 'Give it, with codeChallenge: an app begins each sign-in';
  const errors = [{ pointer: '/redirectUri', code: 'required', message }];
  throw new Problem('invalid_request', { members: { errors } });
}

async function submit(visit: Visit, page: HostedPage): Promise<Shown> {
  const { req } = visit;
  const typed = typedIn(req.body);
  try {
    const ending = await page.work(visit, typed);
    await runOnSuccess(req);
    return ending;
  } catch (error) {
    const problem = problemOf(error);
    if (problem.status === 500) throw error;
    const shown = await page.show(visit, { typed, problem });
    if ('location' in shown) return shown;
    return { ...shown, problem };
  }
}

/** Each field once, and readable: different passwords must not become the same. */
function typedIn(body: unknown): Record<string, string> {
  const fields = Object.entries((body ?? {}) as Record<string, unknown>);
  const wrong = fields.find(([, value]) => typeof value !== 'string' || value.includes('\uFFFD'));
  if (wrong) throw new Problem('invalid_request');
  return Object.fromEntries(fields) as Record<string, string>;
}

function send(visit: Visit, ending: Shown, scripts: readonly string[]): void {
  const { ctx, req, res, flow, language } = visit;
  if ('location' in ending)
    return void res.status(303).setHeader('Location', ending.location).end();
  const target = flow.app && sourceOf(flow.app.redirectUri);
  const { html, policy } = renderPage(ctx, {
    language,
    title: ending.title,
    body: ending.body,
    formAction: target === undefined ? "'self'" : `'self' ${target}`,
    scripts,
  });
  res.setHeader('Content-Security-Policy', policy);
  const { problem } = ending;
  if (!problem) return void res.type('html').send(html);
  const say = () => ({ status: problem.status, body: html });
  void errorHandler(ctx, { say })(problem, req, res, () => {});
}

/** Runs a guard of a route where its page is to say what it refuses. */
export const pass = (guard: Guard | RequestHandler, { req, res }: Visit): Promise<void> =>
  new Promise((resolve, reject) => {
    const next = (error?: unknown) => (error ? reject(error) : resolve());
    Promise.resolve(guard(req, res, next)).catch(reject);
  });
