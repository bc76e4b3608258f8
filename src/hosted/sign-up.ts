import { z } from 'zod';
import { requireOpenSignup } from '#src/authentication/guards';
import { isVerificationRequired } from '#src/email/confirmation';
import { finish } from '#src/hosted/finish';
import { form, heading, link, mistakesOf, passwordField } from '#src/hosted/html';
import { pass, type Content, type Given, type HostedPage, type Visit } from '#src/hosted/page';
import type { Typed } from '#src/hosted/typed';
import { verifyForm } from '#src/hosted/verify-form';
import type { Field } from '#src/platform/http/fields';
import { parsed } from '#src/platform/http/parse';
import type { Problem } from '#src/platform/http/problem';
import { titleSentence } from '#src/platform/http/problem-text';
import { limit } from '#src/platform/http/rate-limit';
import { SIGN_UP } from '#src/registration/limits';
import { register } from '#src/registration/register';
import { signUp } from '#src/registration/sign-up';
import { FreeUsername, hasIdentifier, identifierMissing, newUserFields } from '#src/users/schemas';

const NewUser = z
  .strictObject({ username: FreeUsername.optional(), ...newUserFields })
  .refine(hasIdentifier, identifierMissing);

/** As `POST /auth/register`, with one field for username or address. */
export const signUpPage: HostedPage = {
  path: '/sign-up',
  forApp: true,
  async show(visit, given) {
    await pass(requireOpenSignup(visit.ctx), visit);
    return showSignUp(visit, given);
  },
  async work(visit, { identifier = '', name, ...rest }) {
    const { ctx, flow } = visit;
    await pass(requireOpenSignup(ctx), visit);
    const member = identifier.includes('@') || isVerificationRequired(ctx) ? 'email' : 'username';
    const given = { ...rest, [member]: identifier || undefined, name: name || undefined };
    const newUser = parsed(NewUser, given);
    await pass(limit(ctx, SIGN_UP), visit);
    if (isVerificationRequired(ctx)) {
      await signUp(ctx, newUser, flow.onward);
      return verifyForm(visit, { email: identifier });
    }
    const user = await register(ctx, newUser, ['user'], flow.onward);
    return finish(visit, { user }, { strategy: 'local', amr: ['pwd'] });
  },
};

function showSignUp(visit: Visit, { typed, problem }: Given): Content {
  const { text } = visit;
  const body = [
    heading(text('sign-up.title')),
    form(visit, {
      path: '/sign-up',
      fields: fieldsOf(visit, typed),
      button: 'sign-up.button',
      mistakes: mistakes(visit, problem),
    }),
    `<p class="links">${link(visit, '/sign-in', 'sign-up.to-sign-in')}</p>`,
  ];
  return { title: text('sign-up.title'), body: body.join('') };
}

function mistakes(visit: Visit, problem: Problem | undefined) {
  const taken = problem && titleSentence(visit.language, problem);
  const atName = { text: taken ?? '', field: 'identifier' };
  const names = { username: 'identifier', email: 'identifier' };
  return mistakesOf(visit, problem, { username_taken: atName, email_taken: atName }, names);
}

function fieldsOf(visit: Visit, typed: Typed): Field[] {
  const { ctx, flow, text } = visit;
  const byAddress = isVerificationRequired(ctx);
  return [
    {
      name: 'identifier',
      label: text(byAddress ? 'email' : 'identifier'),
      type: byAddress ? 'email' : 'text',
      autocomplete: 'username',
      value: typed['identifier'] ?? flow.loginHint,
      maxLength: 254,
    },
    {
      name: 'name',
      label: text('name'),
      hint: text('optional'),
      autocomplete: 'name',
      value: typed['name'],
      maxLength: 100,
      optional: true,
    },
    passwordField(visit, {
      autocomplete: 'new-password',
      hint: text('sign-up.rule', { count: ctx.settings.passwordMinLength }),
    }),
  ];
}
