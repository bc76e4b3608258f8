import type { Request, Response, Router } from 'express';
import { z } from 'zod';
import type { Context } from '#src/context';
import { formBody } from '#src/platform/http/body';
import { pageError } from '#src/platform/http/error-handler';
import type { Brand } from '#src/platform/http/look';
import { sendPage } from '#src/platform/http/page';
import { invalidFields } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { refuseMethod, runOnSuccess, type Guard } from '#src/platform/http/route';
import { escapeHtml } from '#src/platform/text';

/**
 * A page that a link in a mail opens, for people without an app: a form that asks for one click. It needs no script,
 * and none runs. GET changes nothing, because mail scanners open links before their reader does; POST does the work.
 */
export interface FormPage<T extends z.ZodObject = z.ZodObject> {
  path: string;
  operationId: string;
  title: string;
  text: string;
  button: string;
  /** What is said when the work is done, unless it ends with an address to go to. */
  done: string;
  /** What to do when the link is not good any more, in place of asking for a new password. */
  usedBefore?: string;
  /** A link below `done` and `usedBefore`. */
  next?: { label: string; path: string };
  guard: Guard;
  fields: T;
  /** HTML of what a person fills in, besides the token of the link. */
  input?: string;
  /** Answers nothing, or the address to which the browser goes. */
  work(fields: z.output<T>): Promise<void | string>;
  /** That address, before the work is done. The policy of the page must name it, or browsers refuse to go there. */
  leadsTo?(token: string): Promise<string | undefined>;
}
/** Ties the type of `work` to `fields`. */
export const formPage = <T extends z.ZodObject>(definition: FormPage<T>): FormPage => definition;

/** The token of a link, as a page may repeat it. */
const Token = z.string().regex(/^[\w-]{1,128}$/);

/** Mounts each page at its path: GET shows the form, POST takes it, and failures are told as a page. */
export function mountFormPages(ctx: Context, router: Router, pages: readonly FormPage[]): void {
  const { settings } = ctx;
  for (const page of pages) {
    const end = pageError(ctx, (problem) => usedBefore(problem, page, settings.basePath));
    router
      .route(page.path)
      .get((req, res) => open(settings, res, page, Token.safeParse(req.query['token']).data))
      .post(...formBody, page.guard, (req, res) => submit(settings, req, res, page))
      .all(refuseMethod(['get', 'post']), end);
  }
}

/** A page whose fields have a token needs the one of its link: without it a click would lead nowhere. */
async function open(
  brand: Brand,
  res: Response,
  page: FormPage,
  token: string | undefined,
): Promise<void> {
  const leadsTo = token === undefined ? undefined : await page.leadsTo?.(token);
  if (token !== undefined || !('token' in page.fields.shape))
    return show(brand, res, page, token, { leadsTo });
  res.status(400);
  say(
    brand,
    res,
    page.title,
    'This link is not complete. Open it from the mail, or copy all of it.',
  );
}

/** The form; after a mistake with an alert that says what is wrong. */
function show(
  brand: Brand,
  res: Response,
  { path, title, text, button, input = '' }: FormPage,
  token: string | undefined,
  { mistake = '', leadsTo }: { mistake?: string; leadsTo?: string | undefined } = {},
): void {
  const hidden =
    token === undefined ? '' : `<input type="hidden" name="token" value="${escapeHtml(token)}">`;
  const alert = mistake && `<p role="alert"><strong>${escapeHtml(mistake)}</strong></p>`;
  const fields = `${hidden}${input}<button>${escapeHtml(button)}</button>`;
  const form = `<form method="post" action="${escapeHtml(brand.basePath + path)}">${fields}</form>`;
  const body = `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${alert}${form}`;
  const formAction = leadsTo === undefined ? "'self'" : (`'self' ${sourceOf(leadsTo)}` as const);
  sendPage(brand, res, { title, body, formAction });
}

/** A source of a policy (CSP 3 §2.3.1) that matches an address. That of an app is the scheme: `com.example.app:`. */
function sourceOf(address: string): string {
  const { origin, protocol } = new URL(address);
  return /^https?:\/\/[\w.-]+(:\d+)?$/.test(origin) ? origin : protocol;
}

async function submit(brand: Brand, req: Request, res: Response, page: FormPage): Promise<void> {
  const given = (req.body ?? {}) as { token?: unknown };
  const token = Token.safeParse(given.token).data;
  try {
    const parsed = page.fields.safeParse(given);
    if (!parsed.success) throw invalidFields(parsed.error);
    const target = await page.work(parsed.data);
    await runOnSuccess(req);
    if (target !== undefined) return void res.status(303).setHeader('Location', target).end();
  } catch (error) {
    const mistake = error instanceof Problem && page.input !== undefined && mistakeOf(error);
    if (!mistake) throw error;
    res.status(error.status);
    return show(brand, res, page, token, { mistake });
  }
  say(brand, res, page.title, page.done, nextOf(page, brand.basePath));
}

/** What the person can correct in the form, in sentences; undefined if nothing. */
function mistakeOf(problem: Problem): string | undefined {
  if (problem.code !== 'invalid_request' && problem.code !== 'weak_password') return undefined;
  return (problem.members.errors ?? [problem]).map(({ message }) => `${message}.`).join(' ');
}

const say = (brand: Brand, res: Response, title: string, text: string, more = ''): void =>
  sendPage(brand, res, {
    title,
    body: `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${more}`,
  });

const nextOf = ({ next }: FormPage, basePath: string): string =>
  next ? `<p><a href="${basePath}${next.path}">${escapeHtml(next.label)}</a></p>` : '';

function usedBefore({ code }: Problem, page: FormPage, basePath: string): string {
  if (code !== 'invalid_code') return '';
  if (page.usedBefore !== undefined)
    return `<p>${escapeHtml(page.usedBefore)}</p>${nextOf(page, basePath)}`;
  return [
    '<p>If you have used this link before, all is well. If you cannot sign in, ',
    `<a href="${basePath}/forgot-password">ask for a new password</a>, which confirms your `,
    'address, too; or sign up again, if you had not confirmed it yet.</p>',
  ].join('');
}
