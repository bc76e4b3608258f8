import type { ErrorRequestHandler, Request } from 'express';
import type { Context } from '#src/context';
import { errorHandler, problemOf, type Say } from '#src/platform/http/error-handler';
import { languageOf } from '#src/platform/http/language';
import { isNavigation } from '#src/platform/http/navigation';
import { renderPage, type PageContext } from '#src/platform/http/page';
import type { FieldError, Problem } from '#src/platform/http/problem';
import { fieldHtml, UNKNOWN_APP, waitOf } from '#src/platform/http/problem-text';
import { hasScreen } from '#src/platform/http/screens';
import type { Language } from '#src/platform/messages/language';
import { escapeHtml } from '#src/platform/text';

/** HTML that is added to a page about a problem. */
type Hint = (problem: Problem, language: Language, req: Request) => string;

/** HTML: what is wrong in particular, and how long to wait. */
function linesOf(problem: Problem, language: Language): string[] {
  const duration = waitOf(problem);
  const wait = duration ? [escapeHtml(language.text('pages', 'wait', { duration }))] : [];
  const { errors = [] } = problem.members;
  const lost =
    problem.code === 'not_found' ? [escapeHtml(language.text('pages', 'lost.text'))] : [];
  return [...lost, ...errors.map((each) => lineOf(each, language)), ...wait];
}

/** Nobody can correct the address of an app on a page, so its name is left out. */
function lineOf(error: FieldError, language: Language): string {
  const said = fieldHtml(language, error);
  if (error.code === UNKNOWN_APP) return said;
  return `<code>${escapeHtml(error.pointer.slice(1))}</code>: ${said}`;
}

function titleOf(problem: Problem, language: Language): string {
  const { code, members } = problem;
  if (isUnknownApp(problem)) return language.text('pages', 'unknown-app');
  if (code === 'unsupported_media_type' && members.detail)
    return language.text('pages', 'takes-form');
  return language.text('problems', code);
}

const isUnknownApp = ({ members: { errors = [] } }: Problem): boolean =>
  errors.some(({ code }) => code === UNKNOWN_APP);

/** For people: a page. */
const sayPage =
  (ctx: PageContext, hint: Hint = () => ''): Say =>
  (problem, _requestId, _path, req) => {
    const { code, status } = problem;
    const language = languageOf(ctx, req);
    const title = titleOf(problem, language);
    const lines = linesOf(problem, language).map((line) => `<p>${line}</p>`);
    const explained = escapeHtml(language.text('pages', 'what-this-means'));
    const link = `<p><a href="${ctx.settings.basePath}/problems/${code}">${explained}</a></p>`;
    const { html, policy } = renderPage(ctx, {
      language,
      title,
      body: `<h1>${escapeHtml(title)}</h1>${lines.join('')}${link}${hint(problem, language, req)}`,
    });
    return { status, body: html, headers: { 'Content-Security-Policy': policy } };
  };

/** The error end of pages for people. `hint` may add HTML to the page. */
export const pageError = (
  ctx: PageContext & Pick<Context, 'log'>,
  hint?: Hint,
): ErrorRequestHandler => {
  const answer = errorHandler(ctx, { say: sayPage(ctx, hint) });
  return (error, req, res, next) => {
    noteUnknownApp(ctx, problemOf(error, req), req);
    return answer(error, req, res, next);
  };
};

/**
 * The page tells people nothing that a developer could use. Of what a stranger has typed, no more than a host gets into
 * the log.
 */
function noteUnknownApp({ log }: Pick<Context, 'log'>, problem: Problem, req: Request): void {
  if (!isUnknownApp(problem)) return;
  const given = req.query['redirectUri'] ?? req.query['redirect_uri'];
  const url = typeof given === 'string' ? URL.parse(given) : null;
  const origin = url?.host ? `${url.protocol}//${url.host}` : undefined;
  log.info({ origin }, 'the redirectUri is not one of REDIRECT_URIS');
}

/** Where whoever opened an unknown address can go on. */
function wayOn({ settings }: PageContext): Hint {
  const { basePath, hostedPages } = settings;
  const hasAccount = hasScreen(settings, 'account');
  const place = hasAccount ? 'account' : hostedPages.includes('sign-in') && 'sign-in';
  return ({ code }, language) => {
    if (code !== 'not_found') return '';
    const words = hasAccount
      ? language.text('pages', 'lost.account')
      : language.text('sign-in', 'to-sign-in');
    const link = `<p><a href="${escapeHtml(`${basePath}/${place}`)}">${escapeHtml(words)}</a></p>`;
    return place ? link : '';
  };
}

/** The error end of every other path: a page for a person who opened it in a browser, a problem for a program. */
export const everybodysErrorHandler = (
  ctx: PageContext & Pick<Context, 'log'>,
): ErrorRequestHandler => {
  const [page, problem] = [pageError(ctx, wayOn(ctx)), errorHandler(ctx)];
  return (error, req, res, next) => (isNavigation(req) ? page : problem)(error, req, res, next);
};
