import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import type { Context } from '#src/context';
import { formBody } from '#src/platform/http/body';
import { pageError } from '#src/platform/http/page-error';
import { languageOf } from '#src/platform/http/language';
import { NO_MISTAKES, renderAlert, renderFields, type Mistakes } from '#src/platform/http/fields';
import { nextOf, onwardLink, usedBefore, type LinkFlow } from '#src/platform/http/form-page-links';
import { fieldOf, mistakesOf, whoseHtml, type FormInput } from '#src/platform/http/form-input';
import { notFromElsewhere } from '#src/platform/http/own-origin';
import { sendPage, sourceOf } from '#src/platform/http/page';
import { invalidFields } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { refuseMethod, runOnSuccess, type Guard } from '#src/platform/http/route';
import type { Language } from '#src/platform/messages/language';
import type { Onward } from '#src/platform/mail/template';
import type { Text } from '#src/platform/messages/message';
import { escapeHtml } from '#src/platform/text';

/**
 * A page that a link in a mail opens, for people without an app: a form that asks for one click. It needs no script,
 * and none runs. GET changes nothing, because mail scanners open links before their reader does; POST does the work.
 */
export interface FormPage<T extends z.ZodObject = z.ZodObject> {
  path: string;
  operationId: string;
  title: Text;
  text: Text;
  button: Text;
  /** What is said when the work is done, unless it ends with an address to go to. */
  done: Text;
  /** What to do when the link is not good any more, in place of asking for a new password. */
  usedBefore?: Text;
  /** A link below `done` and `usedBefore`. */
  next?: { label: Text; path: string };
  guard: Guard;
  fields: T;
  /** What a person fills in, besides the token of the link. */
  input?: FormInput;
  /** The name of the user whose password is chosen. */
  whose?(token: string): Promise<string | undefined>;
  /** Then one can sign in: on a page of this server, if it has that. */
  endsInSignIn?: true;
  /** Answers nothing, or the address to which the browser goes. */
  work(fields: z.output<T>, onward: Onward): Promise<void | string>;
  /** That address, before the work is done. The policy of the page must name it, or browsers refuse to go there. */
  leadsTo?(token: string): Promise<string | undefined>;
}
/** Ties the type of `work` to `fields`. */
export const formPage = <T extends z.ZodObject>(definition: FormPage<T>): FormPage => definition;

/** The token of a link, as a page may repeat it. */
const Token = z.string().regex(/^[\w-]{1,128}$/);

/** A page, in the language of a request. */
interface Shown {
  ctx: Context;
  res: Response;
  page: FormPage;
  language: Language;
  flow: LinkFlow;
  scripts: readonly string[];
}

interface Surroundings {
  scripts: readonly string[];
  /** Reads it from the address of a page. @throws {Problem} 400 `invalid_request` */
  flowOf: (req: Request) => LinkFlow;
}

/** Mounts each page at its path: GET shows the form, POST takes it, and failures are told as a page. */
export function mountFormPages(
  ctx: Context,
  router: Router,
  pages: readonly FormPage[],
  { scripts, flowOf }: Surroundings,
): void {
  const fromHere = notFromElsewhere(ctx);
  for (const page of pages) {
    const shown = (req: Request, res: Response): Shown => ({
      ctx,
      res,
      page,
      language: languageOf(ctx, req),
      flow: flowOf(req),
      scripts,
    });
    const end = pageError(ctx, ({ code }, _language, req) =>
      code === 'invalid_code' ? usedBefore(shown(req, req.res!)) : '',
    );
    router
      .route(page.path)
      .get((req, res) => open(shown(req, res), Token.safeParse(req.query['token']).data))
      .post(fromHere, ...formBody, page.guard, (req, res) => submit(shown(req, res), req))
      .all(refuseMethod(['get', 'post']), end);
  }
}

/** A page whose fields have a token needs the one of its link: without it a click would lead nowhere. */
async function open(shown: Shown, token: string | undefined): Promise<void> {
  const { page, res, language } = shown;
  const leadsTo = token === undefined ? undefined : await page.leadsTo?.(token);
  if (token !== undefined || !('token' in page.fields.shape))
    return show(shown, token, { leadsTo });
  res.status(400);
  say(shown, language.text('pages', 'link-incomplete'));
}

/** The form; after a mistake with an alert that says what is wrong. */
async function show(
  shown: Shown,
  token: string | undefined,
  { mistakes = NO_MISTAKES, typed, leadsTo }: More = {},
): Promise<void> {
  const { ctx, res, page, language, flow, scripts } = shown;
  const whose = token === undefined ? undefined : await page.whose?.(token);
  const html = (text: Text) => escapeHtml(language.write(text));
  const hidden =
    token === undefined ? '' : `<input type="hidden" name="token" value="${escapeHtml(token)}">`;
  const inputs = page.input ? renderFields([fieldOf(language, page.input, typed)], mistakes) : '';
  const fields = `${hidden}${whoseHtml(whose)}${inputs}<button>${html(page.button)}</button>`;
  const action = escapeHtml(ctx.settings.basePath + page.path + flow.query);
  const form = `<form method="post" action="${action}">${fields}</form>`;
  const body = `<h1>${html(page.title)}</h1><p>${html(page.text)}</p>${renderAlert(mistakes)}${form}${token === undefined ? onwardLink(shown) : ''}`;
  const formAction = leadsTo === undefined ? "'self'" : (`'self' ${sourceOf(leadsTo)}` as const);
  const title = language.write(page.title);
  sendPage(ctx, res, {
    language,
    title,
    body,
    formAction,
    scripts: page.input?.type === 'password' ? scripts : [],
  });
}

interface More {
  mistakes?: Mistakes;
  /** Shown again, unless it is a password. */
  typed?: string | undefined;
  leadsTo?: string | undefined;
}

async function submit(shown: Shown, req: Request): Promise<void> {
  const { res, page, language } = shown;
  const given = (req.body ?? {}) as { token?: unknown; email?: unknown };
  const token = Token.safeParse(given.token).data;
  try {
    const parsed = page.fields.safeParse(given);
    if (!parsed.success) throw invalidFields(parsed.error);
    const target = await page.work(parsed.data, shown.flow.onward);
    await runOnSuccess(req);
    if (target !== undefined) return void res.status(303).setHeader('Location', target).end();
  } catch (error) {
    const mistakes =
      error instanceof Problem && page.input ? mistakesOf(error, page.input, language) : undefined;
    if (!mistakes) throw error;
    res.status((error as Problem).status);
    const { email } = given;
    return show(shown, token, { mistakes, typed: typeof email === 'string' ? email : undefined });
  }
  say(shown, language.write(page.done), nextOf(shown) + onwardLink(shown));
}

function say({ ctx, res, page, language }: Shown, text: string, more = ''): void {
  const title = language.write(page.title);
  const body = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${more}`;
  sendPage(ctx, res, { language, title, body });
}
