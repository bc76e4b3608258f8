import express from 'express';
import { describe, expect, it } from 'vitest';
import { APP, callBack, fakeRedirect, REDIRECT_URIS, startAt } from '#test/support/fake-providers';
import { embed } from '#test/support/host';

const { auth, ask, url } = await embed('', (auth) => express().use(auth.router), {
  strategies: [fakeRedirect('first'), fakeRedirect('second'), fakeRedirect('form', 'form_post')],
  redirectUris: REDIRECT_URIS,
});
const { User, Identity, Session, OneTimeToken } = auth.models;
const counts = () =>
  Promise.all([User.count(), Identity.count(), Session.count(), OneTimeToken.count()]);
const callbackOf = (name: string) => `${url}/auth/${name}/callback`;
const isForm = (name: string) => name === 'form';

let made = 0;
const unusedName = () => `somebody${++made}`;

/** Comes back from its own provider, and gets tokens. */
async function finish(name: string, request: Awaited<ReturnType<typeof startAt>>, code: string) {
  const { url } = await callBack(request, callbackOf(name), code, isForm(name));
  expect([url.searchParams.get('error'), url.searchParams.get('state')]).toEqual([
    null,
    request.appState,
  ]);
  const { codeVerifier } = request;
  const body = { code: url.searchParams.get('code'), codeVerifier };
  return ask('POST', '/auth/exchange', { body });
}

const pairs = ['first', 'second', 'form'].flatMap((one, _i, all) =>
  all.filter((other) => other !== one).map((other) => [one, other] as const),
);

describe.each(pairs)('a browser that was sent to "%s", and comes back from "%s"', (own, other) => {
  it('is refused, and nothing changes', async () => {
    const request = await startAt(url, own);
    const cookies = new Map(request.tab.jar);
    const before = await counts();
    const landing = await callBack(request, callbackOf(other), unusedName(), isForm(other));
    expect(landing.url.href.startsWith(APP)).toBe(false);
    expect([landing.status, JSON.parse(landing.text).code]).toEqual([400, 'invalid_state']);
    expect(await counts()).toEqual(before);

    // The request was not used up: with its cookie it can still be finished, at its own provider.
    for (const [name, value] of cookies) request.tab.jar.set(name, value);
    const name = unusedName();
    const { status, body } = await finish(own, request, name);
    expect([status, body.session.strategy, body.user.username]).toEqual([200, own, name]);
    const [identity] = await Identity.findAll({ where: { userId: body.user.id } });
    expect(identity).toMatchObject({ provider: own, subject: name });
  });

  it('is refused also while it has a request of that provider, with the state of the first', async () => {
    const first = await startAt(url, own);
    const second = await startAt(url, other, first.tab);
    const before = await counts();
    const mixed = { tab: first.tab, state: first.state };
    const landing = await callBack(mixed, callbackOf(other), unusedName(), isForm(other));
    expect([landing.status, JSON.parse(landing.text).code]).toEqual([400, 'invalid_state']);
    expect(await counts()).toEqual(before);
    const { status, body } = await finish(other, second, unusedName());
    expect([status, body.session.strategy]).toEqual([200, other]);
  });
});

it('the same subject of two providers is two users', async () => {
  const name = unusedName();
  const ids = [];
  for (const provider of ['first', 'second', 'form'])
    ids.push((await finish(provider, await startAt(url, provider), name)).body.user.id);
  expect(new Set(ids).size).toBe(3);
});
