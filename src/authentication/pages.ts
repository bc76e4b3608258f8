import { z } from 'zod';
import { ownerOf } from '#src/authentication/authenticate-with';
import { isRedirectUri, withQuery } from '#src/authentication/redirect-uri';
import { ofKind, pascalCase } from '#src/authentication/routes';
import { inTime } from '#src/authentication/run-step';
import { isAuthenticated } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { issueAuthorizationCode } from '#src/federation/authorization-code';
import { CODE } from '#src/one-time-tokens/limits';
import { formPage, type FormPage } from '#src/platform/http/form-page';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { stepPathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy, StrategyLink } from '#src/strategy-kit/strategy';
import { LinkToken } from '#src/user-mail/mail-tokens';

/** The page of each strategy that sends links. */
export const linkPages = (ctx: Context): FormPage[] =>
  ofKind(ctx, 'login').flatMap((strategy) =>
    strategy.link ? [linkPage(ctx, strategy, strategy.link)] : [],
  );

function linkPage(ctx: Context, strategy: AuthStrategy, link: StrategyLink): FormPage {
  const { name } = strategy;
  const context = ctx.strategies.contexts.get(name)!;
  const { title, text, button, usedBefore } = link;
  return formPage({
    path: stepPathOf(strategy, 'link'),
    operationId: `open${pascalCase(name)}Link`,
    title,
    text,
    button,
    done: '',
    usedBefore,
    guard: limit(ctx, CODE),
    fields: z.strictObject({ token: LinkToken }),
    leadsTo: async (token) => (await inTime(() => link.find(token, context)))?.redirectUri,
    work: ({ token }) => openLink(ctx, name, () => link.open(token, context)),
  });
}

/** Answers where the app waits, with a code that only it can exchange. */
async function openLink(
  ctx: Context,
  strategy: string,
  open: () => ReturnType<StrategyLink['open']>,
): Promise<string> {
  const opened = await inTime(open);
  if (!opened || !isRedirectUri(ctx.settings, opened.app.redirectUri))
    throw new Problem('invalid_code');
  const { redirectUri, codeChallenge, state } = opened.app;
  if (!isAuthenticated(opened.user))
    throw new Error(`The link of the strategy ${strategy} answered what is not a user`);
  const code = await issueAuthorizationCode(ctx, strategy, ownerOf(opened.user), codeChallenge);
  return withQuery(redirectUri, { code, state });
}
