import { expect } from 'vitest';
import type { Request } from 'express';
import passport, { type StrategyCreatedStatic } from 'passport';
import { z } from 'zod';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';
import { browser } from '#test/support/browser';
import { authorizationRequest } from '#test/support/pkce';

/** A strategy of kind login that names whomever its body names. */
export const fakeLogin = (name: string) =>
  defineStrategy({
    name,
    kind: 'login',
    summary: 'Names whomever it is told',
    credentials: z.strictObject({ subject: z.string() }),
    create: ({ resolveUser }) =>
      custom(async (req) => {
        const { subject } = req.body as { subject: string };
        return resolveUser({ subject, username: subject });
      }),
  });

/** A strategy of kind redirect. Its provider gives a code that is the subject, and returns the state that the server adds. */
export const fakeRedirect = (name: string, responseMode: 'query' | 'form_post' = 'query') =>
  defineStrategy({
    name,
    kind: 'redirect',
    summary: 'Names whomever the code names',
    responseMode,
    create: ({ resolveUser, callbackUrl }) =>
      Object.assign(new passport.Strategy(), {
        async authenticate(this: StrategyCreatedStatic, req: Request) {
          if (!req.path.endsWith('/callback')) {
            const query = new URLSearchParams({ redirect_uri: callbackUrl });
            return this.redirect(`https://${name}.test/authorize?${query.toString()}`);
          }
          const given = (responseMode === 'query' ? req.query : req.body) as { code?: string };
          if (!given.code) return this.fail();
          this.success(await resolveUser({ subject: given.code, username: given.code }));
        },
      }),
  });

/** Nobody listens there: a browser that is sent there has arrived at the app. */
export const APP = 'http://127.0.0.1:9/signed-in';
export const REDIRECT_URIS = 'http://127.0.0.1/signed-in';

/** A browser that has been sent to a fake provider. `state`: what the provider gives back. */
export async function startAt(url: string, name: string, tab = browser()) {
  const asked = authorizationRequest(url, name, APP);
  const landing = await tab.open(asked.address, `https://${name}.test/`);
  const state = landing.url.searchParams.get('state')!;
  expect(state.length).toBeGreaterThan(20);
  return { ...asked, appState: asked.state, tab, state };
}

/** The browser comes back from a fake provider with this code. */
export const callBack = (
  { tab, state }: Pick<Awaited<ReturnType<typeof startAt>>, 'tab' | 'state'>,
  callback: string,
  code: string,
  isForm = false,
) =>
  isForm
    ? tab.open(callback, APP, { form: { code, state }, accept: 'application/json' })
    : tab.open(`${callback}?${new URLSearchParams({ code, state }).toString()}`, APP, {
        accept: 'application/json',
      });
