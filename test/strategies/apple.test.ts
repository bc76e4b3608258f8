import { afterEach, describe, expect, it, vi } from 'vitest';
import apple from '#strategies/apple';
import { takeOver } from '#src/email/take-over';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { REVOCATION } from '#src/provider-grants/provider-grants';
import { startRevocations } from '#src/provider-grants/revoke-grants';
import { RESET, RESTORE } from '#src/user-mail/mail-tokens';
import { password, startApp } from '#test/support/app';
import { formIn, signInAtApple, startApple } from '#test/support/apple';
import { browser } from '#test/support/browser';
import { eventually } from '#test/support/eventually';
import { standardClaims } from '#test/support/id-tokens';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const APP = 'http://127.0.0.1:9/signed-in';
const BUNDLE = 'com.example.app';
const provider = await startApple();
const { state, grants } = provider;
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const env = {
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  APPLE_NATIVE_CLIENT_IDS: BUNDLE,
  ...provider.settings,
};
const { url, ask, auth, ctx, register, Identity, OneTimeToken, User } = await startApp(env);

let made = 0;
const newPerson = (more: object = {}) => {
  const sub = `00${++made}.apple`;
  return { sub, email: `${sub}@example.com`, email_verified: 'true', ...more };
};

afterEach(() => {
  Object.assign(state, { consents: true, user: undefined, away: false });
});

async function goTo(person: typeof state.signedIn, more: Record<string, string> = {}) {
  state.signedIn = person;
  const asked = authorizationRequest(url, 'apple', APP);
  return { ...asked, landing: await signInAtApple(browser(), asked.address, APP, more) };
}
async function signIn(person: typeof state.signedIn, more: Record<string, string> = {}) {
  const { landing, codeVerifier } = await goTo(person, more);
  expect(landing.url.searchParams.get('error')).toBeNull();
  const code = landing.url.searchParams.get('code');
  return ask('POST', '/auth/exchange', { body: { code, codeVerifier } });
}
const errorOf = async (person: typeof state.signedIn) =>
  (await goTo(person)).landing.url.searchParams.get('error');
const deleteMe = async (token: string) => {
  const { status } = await ask('DELETE', '/me', { token, body: { confirm: 'delete' } });
  expect(status).toBe(204);
};
const grantsOf = ({ sub }: { sub: string }) => [...grants.values()].filter((each) => each === sub);
const queued = () => OneTimeToken.count({ where: { purpose: 'grant revocation' } });

describe('Apple', () => {
  it('signs somebody in, and keeps the name that it tells once', async () => {
    const ida = newPerson({ firstName: 'Ida', lastName: 'Péter' });
    const first = await signIn(ida);
    expect(first.body).toMatchObject({
      session: { strategy: 'apple' },
      user: { name: 'Ida Péter', email: ida.email, emailVerified: true },
    });
    const again = await signIn(ida);
    expect(again.body.user).toMatchObject({ id: first.body.user.id, name: 'Ida Péter' });
  });

  it('is asked with PKCE, state, nonce and a form, and with a new client secret each time', async () => {
    const tab = browser();
    const { address } = authorizationRequest(url, 'apple', APP);
    const { trail } = await tab.open(address, APP);
    const query = new URL(trail.at(-1)!.url).searchParams;
    expect(Object.fromEntries(query)).toMatchObject({
      response_mode: 'form_post',
      response_type: 'code',
      code_challenge_method: 'S256',
      scope: 'openid email name',
      redirect_uri: `${here}/auth/apple/callback`,
    });
    for (const name of ['state', 'nonce', 'code_challenge'])
      expect(query.get(name)!.length).toBeGreaterThan(20);
    await signIn(newPerson());
    await signIn(newPerson());
    expect(new Set(provider.secrets).size).toBe(provider.secrets.length);
    const [, claims] = provider.secrets.at(-1)!.split('.');
    const { iat, exp } = JSON.parse(Buffer.from(claims!, 'base64url').toString());
    expect(exp - iat).toBe(300);
  });

  it('takes nothing but the name from the form: nobody signed it (E-09)', async () => {
    const victim = await register({ email: 'victim@example.com' });
    const forged = {
      name: { firstName: 'Eve', lastName: 'Adams' },
      email: 'victim@example.com',
      email_verified: true,
      sub: 'root',
    };
    const eve = newPerson({ email: undefined, email_verified: undefined });
    const { body } = await signIn(eve, { user: JSON.stringify(forged) });
    expect(body.user).toMatchObject({ name: 'Eve Adams', email: null, emailVerified: false });
    expect(body.user.id).not.toBe(victim.id);
    expect(await Identity.count({ where: { userId: victim.id } })).toBe(0);
    const mallory = newPerson();
    const other = await signIn(mallory, { user: JSON.stringify(forged) });
    expect(other.body.user.email).toBe(mallory.email);
  });

  it('does not let the form change the name of a user who is known (E-09)', async () => {
    const uma = newPerson({ firstName: 'Uma' });
    expect((await signIn(uma)).body.user.name).toBe('Uma');
    const user = JSON.stringify({ name: { firstName: 'Somebody', lastName: 'Else' } });
    expect((await signIn(uma, { user })).body.user.name).toBe('Uma');
  });

  it.each([
    '{',
    'null',
    '7',
    '[]',
    '{"name":null}',
    '{"name":"Eve"}',
    '{"name":{"firstName":7,"lastName":["x"]}}',
    '{"name":{"firstName":"  ","lastName":""}}',
    JSON.stringify({ name: { firstName: 'x'.repeat(600) } }),
    JSON.stringify({ name: { firstName: 'a\u0000b\u202e' } }),
  ])('has no name of a form that is wrong: %s (E-09)', async (user) => {
    const { status, body } = await signIn(newPerson(), { user });
    expect([status, body.user?.name]).toEqual([200, null]);
  });

  it.each([true, 'true'])(
    'has verified an address, and says so with %j',
    async (email_verified) => {
      const known = newPerson({ email_verified });
      expect((await signIn(known)).body.user.emailVerified).toBe(true);
    },
  );

  it.each([false, 'false', undefined])('has not verified it: %j', async (email_verified) => {
    const person = newPerson({ email_verified });
    const victim = await register({ email: person.email });
    const { status, body } = await signIn(person);
    expect([status, body.code]).toEqual([409, 'already_linked']);
    expect((await victim.ask('GET', '/me')).status).toBe(200);
  });

  it('knows one person in the browser and in an app', async () => {
    const person = newPerson();
    const web = await signIn(person);
    const claims = { ...standardClaims(provider.url, BUNDLE, person.sub), email: person.email };
    const body = { idToken: await provider.signer.sign(claims) };
    const phone = await ask('POST', '/auth/apple-native', { body });
    expect(phone.body).toMatchObject({
      session: { strategy: 'apple-native' },
      user: { id: web.body.user.id },
    });
    const web2 = { ...claims, aud: provider.settings.APPLE_CLIENT_ID, jti: 'x' };
    const wrong = { idToken: await provider.signer.sign(web2) };
    expect((await ask('POST', '/auth/apple-native', { body: wrong })).status).toBe(401);
  });

  it('may be cancelled, and may be away', async () => {
    state.consents = false;
    expect(await errorOf(newPerson())).toBe('access_denied');
    state.consents = true;
    const person = newPerson();
    const { address } = authorizationRequest(url, 'apple', APP);
    const tab = browser();
    state.signedIn = person;
    const { address: action, form } = formIn(await tab.open(address, APP));
    state.away = true;
    const { url: end } = await tab.open(action, APP, { form });
    expect(end.searchParams.get('error')).toBe('unavailable');
  });

  it.each<[string, Record<string, string>]>([
    ['another state', { state: 'forged' }],
    ['no state', { state: '' }],
  ])('comes back with %s to nobody', async (_what, more) => {
    const before = await User.count();
    const { landing } = await goTo(newPerson(), more);
    expect([landing.status, await User.count()]).toEqual([400, before]);
  });

  it.each<[string, Record<string, string>, string]>([
    ['an invented code', { code: 'invented' }, 'access_denied'],
    ['no code', { code: '' }, 'server_error'],
    ['an ID token in the form', { id_token: 'e30.e30.e30' }, 'server_error'],
  ])('comes back with %s, and signs nobody in', async (_what, more, error) => {
    const before = await User.count();
    const { landing } = await goTo(newPerson(), more);
    expect(landing.url.searchParams.get('error')).toBe(error);
    expect(await User.count()).toBe(before);
  });

  it('comes back by form only', async () => {
    const answer = await ask('GET', '/auth/apple/callback?code=x&state=y');
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST']);
  });
});

describe('what Apple granted', () => {
  it('is stored encrypted, and ended when the user deletes themselves', async () => {
    const person = newPerson();
    const { body } = await signIn(person);
    expect(grantsOf(person)).toHaveLength(1);
    const [refreshToken] = [...grants].find(([, sub]) => sub === person.sub)!;
    const row = await Identity.findOne({ where: { userId: body.user.id } });
    expect(row!.sealedGrant!.length).toBeGreaterThan(refreshToken.length);
    expect(JSON.stringify(row)).not.toContain(refreshToken);
    const listed = await ask('GET', '/me/identities', { token: body.accessToken });
    expect(listed.text).not.toMatch(/grant/i);
    await deleteMe(body.accessToken);
    await eventually(() => expect(grantsOf(person)).toEqual([]));
    await eventually(async () => expect(await queued()).toBe(0));
  });

  it('is replaced by what it grants at the next sign-in', async () => {
    const person = newPerson();
    await signIn(person);
    grants.clear(); // the user ended it at Apple
    const { body } = await signIn(person);
    expect(grantsOf(person)).toHaveLength(1);
    await deleteMe(body.accessToken);
    await eventually(() => expect(grantsOf(person)).toEqual([]));
  });

  it('is ended when an operator deletes the user, or the user unlinks it', async () => {
    const [one, two] = [newPerson(), newPerson()];
    const { body } = await signIn(one);
    await auth.users.delete(body.user.id);
    await eventually(() => expect(grantsOf(one)).toEqual([]));
    const me = await register();
    const { landing, codeVerifier } = await goTo(two);
    const linked = await me.ask('POST', '/me/identities/apple', {
      body: { code: landing.url.searchParams.get('code'), codeVerifier },
    });
    expect(linked.status).toBe(201);
    expect(grantsOf(two)).toHaveLength(1);
    await me.ask('DELETE', `/me/identities/${linked.body.id}`);
    await eventually(() => expect(grantsOf(two)).toEqual([]));
  });

  it.each<[string, (user: InstanceType<typeof User>) => Promise<unknown>]>([
    [
      'the owner of the address takes over',
      (user) => ctx.db.transaction(() => takeOver(ctx, user, { provider: 'google', name: null })),
    ],
    [
      'the password of a user with an unconfirmed address is reset',
      async ({ id: userId, emailCanonical }) => {
        await User.update({ emailVerifiedAt: null }, { where: { id: userId } });
        const token = await issueToken(ctx, RESET, 60, { userId, data: emailCanonical });
        return ask('POST', '/auth/password/reset', { body: { token, password } });
      },
    ],
    [
      'a change of the address is undone',
      async ({ id: userId }) => {
        const address = { display: 'old@example.com', canonical: 'old@example.com' };
        const data = { address, verifiedAt: new Date().toISOString() };
        const token = await issueToken(ctx, RESTORE, 60, { userId, data });
        return ask('POST', '/auth/email/restore', { body: { token } });
      },
    ],
  ])('is ended when the identity goes because %s', async (_why, go) => {
    const [person, other] = [newPerson(), newPerson()];
    const { body } = await signIn(person);
    await signIn(other);
    expect([grantsOf(person).length, grantsOf(other).length]).toEqual([1, 1]);
    await go((await User.findByPk(body.user.id, { include: ['roles'] }))!);
    expect(await Identity.count({ where: { userId: body.user.id } })).toBe(0);
    await eventually(() => expect(grantsOf(person)).toEqual([]));
    expect(grantsOf(other)).toHaveLength(1);
  });

  it('stays if the deletion is undone', async () => {
    const person = newPerson();
    const { body } = await signIn(person);
    const undone = ctx.db.transaction(async () => {
      const { queueRevocations } = await import('#src/provider-grants/provider-grants');
      await queueRevocations(ctx, { userId: body.user.id });
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    expect([await queued(), grantsOf(person).length]).toEqual([0, 1]);
  });

  it('is ended later if Apple is away, and the user is gone at once', async () => {
    const person = newPerson();
    const { body } = await signIn(person);
    const warned = vi.spyOn(ctx.log, 'warn');
    state.away = true;
    await deleteMe(body.accessToken);
    expect(await User.count({ where: { id: body.user.id } })).toBe(0);
    await eventually(() =>
      expect(warned.mock.calls.map(([, text]) => text)).toContain(
        'a grant was not ended at its provider',
      ),
    );
    const line = JSON.stringify(warned.mock.calls);
    warned.mockRestore();
    for (const [token] of grants) expect(line).not.toContain(token);
    expect([await queued(), grantsOf(person).length]).toEqual([1, 1]);
    state.away = false;
    const stop = startRevocations(ctx); // as another node does, or this one after a minute
    await eventually(async () => expect(await queued()).toBe(0));
    expect(grantsOf(person)).toEqual([]);
    await stop();
  });
});

it('a grant that nobody here can end keeps no other waiting', async () => {
  const person = newPerson();
  const { body } = await signIn(person);
  const grant = { userId: null, data: { provider: 'switched-off', grant: 'x' } };
  for (let i = 0; i < 60; i++) await issueToken(ctx, REVOCATION, 3600, grant);
  const lost = await OneTimeToken.findAll({ where: { purpose: REVOCATION }, limit: 30 });
  const digests = lost.map(({ digest }) => digest);
  await OneTimeToken.update({ data: 'of another APP_SECRET' }, { where: { digest: digests } });
  await deleteMe(body.accessToken);
  await eventually(() => expect(grantsOf(person)).toEqual([]));
  await eventually(async () => expect(await queued()).toBe(60));
  await OneTimeToken.destroy({ where: { purpose: REVOCATION } });
});

describe('the settings of Apple', () => {
  it.each(['', 'x', '-----BEGIN PRIVATE KEY-----\\nMAAA\\n-----END PRIVATE KEY-----'])(
    'need the key of the .p8 file: %j',
    (text) => {
      const { success, error } = apple.env!.safeParse({ ...env, APPLE_PRIVATE_KEY: text });
      expect(success).toBe(false);
      expect(JSON.stringify(error!.issues)).toContain('must be the text of the .p8 file');
    },
  );

  it('take the key on one line', () => {
    const APPLE_PRIVATE_KEY = env.APPLE_PRIVATE_KEY.replaceAll('\n', '\\n');
    expect(apple.env!.safeParse({ ...env, APPLE_PRIVATE_KEY }).success).toBe(true);
  });

  it('are checked by the doctor', async () => {
    const check = () => apple.check!(apple.env!.parse(env));
    expect(await check()).toEqual([]);
    state.away = true;
    expect(await check()).toEqual([expect.stringMatching(/key set .* answers 503/)]);
  });
});
