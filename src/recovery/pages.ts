import { Router, type ErrorRequestHandler, type Request, type Response } from 'express';
import { z } from 'zod';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { escapeHtml } from '#src/core/text';
import { formBody } from '#src/http/body';
import { limit } from '#src/http/limits';
import { sendForm, sendPage } from '#src/http/page';
import { fieldErrors } from '#src/http/parse';
import { problemOf, setHeaders } from '#src/http/render-problem';
import { refuseMethod, type Guard } from '#src/http/route';
import { restoreEmail } from '#src/users/change-email';
import { forgotPassword, resetPassword } from '#src/users/reset-password';
import { Email, Password } from '#src/users/schemas';
import { verifyEmail } from '#src/users/verify-email';

/** What a link in a mail opens, for people without an app: a form that asks for one click. No script is needed, and none runs. */
interface Form<T extends z.ZodObject = z.ZodObject> {
  path: string;
  title: string;
  text: string;
  button: string;
  done: string;
  guard: Guard;
  fields: T;
  /** What a person fills in, besides the token of the link. */
  input?: string;
  work(fields: z.output<T>): Promise<void>;
}
const form = <T extends z.ZodObject>(definition: Form<T>): Form => definition;

const token = z.string().regex(/^[\w-]{1,128}$/);

const forms: Form[] = [
  form({
    path: '/confirm-email',
    title: 'Confirm your e-mail address',
    text: 'One click, and the address is yours to sign in with.',
    button: 'Confirm this address',
    done: 'Your e-mail address is confirmed. You can close this page and sign in.',
    guard: limit('code'),
    fields: z.strictObject({ token }),
    work: verifyEmail,
  }),
  form({
    path: '/restore-email',
    title: 'Keep this e-mail address',
    text: 'Somebody wanted to use another address in place of this one. If it was not you, keep this one: everybody is signed out, the password is void, and a mail lets you choose a new one.',
    button: 'Keep this address',
    done: 'The address is yours again. A mail with a link to choose a new password is on its way.',
    guard: limit('code'),
    fields: z.strictObject({ token }),
    work: (given) => restoreEmail(given.token),
  }),
  form({
    path: '/reset-password',
    title: 'Choose a new password',
    text: `At least ${config.PASSWORD_MIN_LENGTH} characters. You will be signed out everywhere, and can sign in with the new password.`,
    button: 'Set this password',
    done: 'Your new password is set. You can close this page and sign in.',
    guard: limit('code'),
    fields: z.strictObject({ token, password: Password }),
    input: '<label>New password <input name="password" type="password" autocomplete="new-password" required maxlength="1024"></label>',
    work: (given) => resetPassword(given.token, given.password),
  }),
  form({
    path: '/forgot-password',
    title: 'Ask for a new password',
    text: 'A mail with a link goes to your address, if you are registered with it.',
    button: 'Send me a mail',
    done: 'If somebody here has this address, a mail with a link is on its way. The link is good for 15 minutes.',
    guard: limit('forgot'),
    fields: z.strictObject({ email: Email }),
    input: '<label>E-mail address <input name="email" type="email" autocomplete="email" required maxlength="254"></label>',
    work: (given) => forgotPassword(given.email),
  }),
];

/** A GET changes nothing, whoever looks at a mail before its reader does. */
export function recoveryPages(): Router {
  const router = Router();
  for (const each of forms) {
    router
      .route(each.path)
      .get((req, res) => open(res, each, token.safeParse(req.query['token']).data))
      .post(...formBody, each.guard, (req, res) => submit(req, res, each))
      .all(refuseMethod(['get', 'post']), tellReader);
  }
  return router.use(tellReader);
}

/** Most links need their token: without it a click would lead nowhere. */
function open(res: Response, page: Form, given: string | undefined): void {
  if (given !== undefined || !('token' in page.fields.shape)) return show(res, page, given);
  res.status(400);
  sendPage(
    res,
    page.title,
    `<h1>${escapeHtml(page.title)}</h1><p>This link is not complete. Open it from the mail, or copy all of it.</p>`,
  );
}

/** With a fault to tell, the form again. */
function show(res: Response, { title, text, button, input = '', path }: Form, given: string | undefined, fault = ''): void {
  const hidden = given === undefined ? '' : `<input type="hidden" name="token" value="${escapeHtml(given)}">`;
  const alert = fault && `<p role="alert"><strong>${escapeHtml(fault)}</strong></p>`;
  const body = `<form method="post" action="${path}">${hidden}${input}<button>${escapeHtml(button)}</button></form>`;
  sendForm(res, title, `<h1>${escapeHtml(title)}</h1><p>${escapeHtml(text)}</p>${alert}${body}`);
}

async function submit(req: Request, res: Response, page: Form): Promise<void> {
  const given = token.safeParse((req.body as { token?: unknown }).token).data;
  try {
    const parsed = page.fields.safeParse(req.body);
    if (!parsed.success) throw new Problem('invalid_request', { members: { errors: parsed.error.issues.flatMap(fieldErrors) } });
    await page.work(parsed.data);
  } catch (error) {
    const canMend = error instanceof Problem && page.input && ['invalid_request', 'weak_password'].includes(error.code);
    if (!canMend) throw error;
    res.status(error.status);
    return show(res, page, given, (error.members.errors ?? [error]).map(({ message }) => `${message}.`).join(' '));
  }
  sendPage(res, page.title, `<h1>${escapeHtml(page.title)}</h1><p>${escapeHtml(page.done)}</p>`);
}

const tellReader: ErrorRequestHandler = (error, _req, res, next) => {
  const problem = problemOf(error);
  if (problem.status >= 500) return next(error); // logged there; a page would say no more
  setHeaders(res.status(problem.status), problem);
  const again =
    problem.code === 'invalid_code'
      ? '<p>If you have used this link before, all is well. If you cannot sign in, <a href="/forgot-password">ask for a new password</a>, which confirms your address, too; or sign up again, if you had not confirmed it yet.</p>'
      : '';
  sendPage(
    res,
    problem.message,
    `<h1>${escapeHtml(problem.message)}</h1><p><a href="/problems/${problem.code}">What this means</a></p>${again}`,
  );
};
