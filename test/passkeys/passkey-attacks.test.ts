import { generateKeyPairSync } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { disableUser } from '#src/account/disable';
import { takeOver } from '#src/email/take-over';
import { digestOf } from '#src/passkeys/use';
import { password } from '#test/support/app';
import { cbor, type Cbor, type Lies } from '#test/support/authenticator';
import { HANGS, statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { openMailbox } from '#test/support/mailbox';
import { ORIGIN, startPasskeys } from '#test/support/passkeys';

const OTHER_APP = `android:apk-key-hash:${'A'.repeat(43)}`;
const FINGERPRINT = Array.from({ length: 32 }, (_, i) => (i + 16).toString(16)).join(':');
const mailbox = await openMailbox();
const app = await startPasskeys({
  ...mailbox.env,
  PASSKEY_ORIGINS: `${ORIGIN},https://example.com`,
  PASSKEY_ANDROID_APPS: `com.example.app=${FINGERPRINT}`,
});
const {
  ask,
  auth,
  challenge,
  ctx,
  enrol,
  newAuthenticator,
  optionsOf,
  owner,
  proveAgain,
  register,
  signIn,
} = app;
const { Factor, Passkey, RecoveryCode, Session, User } = app;

afterEach(() => {
  vi.useRealTimers();
});

const REFUSED = [401, 'invalid_credentials'];
const outcome = ({ status, body }: { status: number; body: { code?: string } }) => [
  status,
  body?.code,
];
/** Everything that a refusal must leave as it is. */
const state = async () => ({
  factors: await Factor.count(),
  passkeys: (await Passkey.findAll({ order: ['factorId'] })).map((each) => each.toJSON()),
  sessions: await Session.count(),
  users: (await User.findAll({ order: ['id'] })).map(({ id, factors }) => [id, factors]),
});
async function refusesSignIn(work: () => Promise<{ status: number; body: { code?: string } }>) {
  const before = await state();
  expect(outcome(await work())).toEqual(REFUSED);
  expect(await state()).toEqual(before);
}
const register_ = async (lies: Lies, options = {}) => {
  const person = await register();
  const before = await state();
  const answer = await enrol(person, newAuthenticator(options), lies);
  return { ...answer, changed: JSON.stringify(await state()) !== JSON.stringify(before) };
};
const refusesRegistration = async (lies: Lies, options = {}) => {
  const { status, body, changed } = await register_(lies, options);
  expect([status, body.code, changed]).toEqual([400, 'passkey_refused', false]);
};

describe('a challenge (K-01)', () => {
  it('is good once', async () => {
    const { authenticator } = await owner();
    const { challengeToken, publicKey } = await challenge();
    const body = { challengeToken, credential: authenticator.sign(publicKey) };
    expect((await ask('POST', '/auth/passkey', { body })).status).toBe(200);
    await refusesSignIn(() => ask('POST', '/auth/passkey', { body }));
  });

  it('is good once for many at the same time', async () => {
    const { authenticator } = await owner();
    const { challengeToken, publicKey } = await challenge();
    const body = { challengeToken, credential: authenticator.sign(publicKey) };
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask('POST', '/auth/passkey', { body })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('is spent by an answer that is refused', async () => {
    const { authenticator } = await owner();
    const { challengeToken, publicKey } = await challenge();
    const wrong = { challengeToken, credential: authenticator.sign(publicKey, { uv: false }) };
    expect((await ask('POST', '/auth/passkey', { body: wrong })).status).toBe(401);
    const right = { challengeToken, credential: authenticator.sign(publicKey) };
    await refusesSignIn(() => ask('POST', '/auth/passkey', { body: right }));
  });

  it('expires after five minutes', async () => {
    const { authenticator } = await owner();
    const given = [await challenge(), await challenge()];
    const answer = ({ challengeToken, publicKey }: (typeof given)[0]) =>
      ask('POST', '/auth/passkey', {
        body: { challengeToken, credential: authenticator.sign(publicKey) },
      });
    wait(298 * SECOND);
    expect((await answer(given[0])).status).toBe(200);
    wait(4 * SECOND);
    await refusesSignIn(() => answer(given[1]));
  });

  it('is not the one of another request', async () => {
    const { authenticator } = await owner();
    const [one, other] = [await challenge(), await challenge()];
    const credential = authenticator.sign(one.publicKey);
    const body = { challengeToken: other.challengeToken, credential };
    await refusesSignIn(() => ask('POST', '/auth/passkey', { body }));
  });

  it('of a registration signs nobody in, and the reverse', async () => {
    const ada = await owner();
    const forNew = await optionsOf(ada);
    const signed = ada.authenticator.sign({ challenge: forNew.publicKey.challenge, rpId: 'example.com' }); // prettier-ignore
    await refusesSignIn(() =>
      ask('POST', '/auth/passkey', {
        body: { challengeToken: forNew.challengeToken, credential: signed },
      }),
    );
    const forSignIn = await challenge();
    const { publicKey } = await optionsOf(ada);
    const made = newAuthenticator().register({ ...publicKey, challenge: forSignIn.publicKey.challenge }); // prettier-ignore
    const body = { challengeToken: forSignIn.challengeToken, credential: made };
    const answer = await ada.ask('POST', '/me/factors/passkeys', { body });
    expect(outcome(answer)).toEqual([400, 'passkey_refused']);
  });

  it('of a registration is its user’s, once, for five minutes', async () => {
    const [ada, bob] = [await owner(), await register()];
    const [first, second] = [await optionsOf(ada), await optionsOf(ada)];
    const bodyFor = ({ challengeToken, publicKey }: typeof first) => ({
      body: { challengeToken, credential: newAuthenticator().register(publicKey) },
    });
    const path = '/me/factors/passkeys';
    expect(outcome(await bob.ask('POST', path, bodyFor(first)))).toEqual([400, 'passkey_refused']);
    expect((await ada.ask('POST', path, bodyFor(first))).status).toBe(201);
    expect(outcome(await ada.ask('POST', path, bodyFor(first)))).toEqual([400, 'passkey_refused']);
    wait(301 * SECOND);
    expect(outcome(await ada.ask('POST', path, bodyFor(second)))).toEqual([400, 'passkey_refused']);
  });

  it('of another server is none', async () => {
    const elsewhere = await startPasskeys({
      APP_SECRET: 'kQ2v9Xr7Lm4Zp1Wt8Yb6Nc3Hd5Gf0JsAaEeUu+/',
    });
    const { authenticator } = await owner();
    const { challengeToken, publicKey } = await elsewhere.challenge();
    const body = { challengeToken, credential: authenticator.sign(publicKey) };
    await refusesSignIn(() => ask('POST', '/auth/passkey', { body }));
    for (const forged of ['A', 'A'.repeat(200), challengeToken.slice(0, -1)]) {
      const { status } = await ask('POST', '/auth/passkey', {
        body: { ...body, challengeToken: forged },
      });
      expect(status).toBe(401);
    }
  });
});

const FALSE_ORIGINS = [
  'https://evil.example',
  'http://app.example.com',
  'https://app.example.com:8443',
  'https://other.example.com',
  'https://app.example.com.evil.example',
  'https://APP.example.com',
  'https://app.example.com/',
  'null',
  '',
  OTHER_APP, // K-10
  `${OTHER_APP}:${ORIGIN}`,
];
describe('another page or domain (K-02, K-10)', () => {
  it.each(FALSE_ORIGINS)('signs nobody in: %s', async (origin) => {
    const { authenticator } = await owner();
    await refusesSignIn(() => signIn(authenticator, { origin }));
  });

  it.each(FALSE_ORIGINS)('makes no passkey: %s', async (origin) => {
    await refusesRegistration({ origin });
  });

  it.each<[string, Lies]>([
    ['no origin', { clientData: { origin: undefined } }],
    ['a list of origins', { clientData: { origin: [ORIGIN] } }],
    ['the domain above', { rpId: 'com' }],
    ['the domain below', { rpId: 'app.example.com' }],
    ['another domain', { rpId: 'evil.example' }],
    ['a frame of another site', { clientData: { crossOrigin: true } }],
    ['a page around it', { clientData: { topOrigin: 'https://evil.example' } }],
    ['both', { clientData: { crossOrigin: true, topOrigin: 'https://evil.example' } }],
  ])('does nothing: %s', async (what, lies) => {
    const { authenticator } = await owner();
    await refusesSignIn(() => signIn(authenticator, lies));
    if (what !== 'a page around it') await refusesRegistration(lies);
  });

  it.each([
    ORIGIN,
    'https://example.com',
    `android:apk-key-hash:${Buffer.from(FINGERPRINT.replaceAll(':', ''), 'hex').toString('base64url')}`,
  ])('is one of ours: %s', async (origin) => {
    const { authenticator } = await owner({ origin });
    expect((await signIn(authenticator)).status).toBe(200);
  });
});

describe('an authenticator', () => {
  it.each<[string, Lies]>([
    ['that did not verify its user', { uv: false }],
    ['that saw nobody', { up: false }],
    ['that neither saw nor verified anybody', { up: false, uv: false }],
  ])('%s is refused (K-03)', async (_what, lies) => {
    const { authenticator } = await owner();
    await refusesSignIn(() => signIn(authenticator, lies));
    await refusesRegistration(lies);
  });

  it('that counts less than before is refused, and its owner is told (K-04)', async () => {
    const email = 'kim@example.com';
    const { authenticator, id, factorId } = await owner({ counts: true }, { username: 'kim', email }); // prettier-ignore
    await mailbox.next(email);
    expect((await signIn(authenticator, { counter: 7 })).status).toBe(200);
    const heard: unknown[] = [];
    auth.on('passkey.copied', (event) => void heard.push(event));
    for (const counter of [7, 6, 0]) {
      await refusesSignIn(() => signIn(authenticator, { counter }));
      expect(heard.splice(0)).toEqual([{ userId: id, factorId }]);
    }
    const { subject, text } = await mailbox.next(email);
    expect(subject).toBe('A sign-in with your passkey was refused');
    expect(text).toContain('looked like a copy');
    expect((await signIn(authenticator, { counter: 8 })).status).toBe(200);
  });

  it('that is only said to count less sets off no alarm (K-04)', async () => {
    const { authenticator } = await owner({ counts: true });
    expect((await signIn(authenticator, { counter: 7 })).status).toBe(200);
    const heard: unknown[] = [];
    auth.on('passkey.copied', (event) => void heard.push(event));
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    await refusesSignIn(() => signIn(authenticator, { counter: 1, privateKey }));
    expect(heard).toEqual([]);
  });

  it('counts on when many sign in at once (K-04)', async () => {
    const { authenticator, factorId } = await owner({ counts: true });
    const answers = await Promise.all(
      [3, 4, 5, 6, 6].map((counter) => signIn(authenticator, { counter })),
    );
    expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
    expect((await Passkey.findByPk(factorId))!.counter).toBe(6);
    await refusesSignIn(() => signIn(authenticator, { counter: 6 }));
  });

  it('that counts less is refused as a second factor, too (K-04)', async () => {
    const email = 'lee@example.com';
    const { authenticator, username } = await owner({}, { username: 'lee', email });
    await mailbox.next(email);
    expect((await signIn(authenticator, { counter: 9 })).status).toBe(200);
    const { body } = await ask('POST', '/auth/login', { body: { identifier: username, password } });
    const { mfaToken } = body;
    const { body: options } = await ask('POST', '/auth/mfa/options', { body: { mfaToken } });
    const credential = authenticator.sign(options.publicKey, { counter: 9 });
    await refusesSignIn(() => ask('POST', '/auth/mfa', { body: { mfaToken, credential } }));
    expect((await mailbox.next(email)).subject).toBe('A sign-in with your passkey was refused');
  });

  it('that counts less is refused where the session is proved again, too (K-04)', async () => {
    const email = 'pat@example.com';
    const ada = await owner({ counts: true }, { username: 'pat', email });
    await mailbox.next(email);
    const again = (lies: Lies) => proveAgain(ada, ada.authenticator, lies);
    expect((await again({ counter: 5 })).status).toBe(204);
    expect((await ada.ask('GET', '/me/sessions')).body.data[0]).toMatchObject({ acr: 'aal2' });
    await refusesSignIn(() => again({ counter: 5 }));
    expect((await mailbox.next(email)).subject).toBe('A sign-in with your passkey was refused');
  });

  it.each<[string, Lies]>([
    ['whose key is another', { privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }], // prettier-ignore
    ['that cannot be copied any more', { be: false, bs: false }],
    ['that was copied and cannot be', { be: false, bs: true }],
    ['that signed a registration', { type: 'webauthn.create' }],
    ['that signed another challenge', { challenge: 'A'.repeat(43) }],
    ['that says more than it should', { surplus: Buffer.from('surplus') }],
  ])('%s is refused', async (_what, lies) => {
    const { authenticator } = await owner();
    await refusesSignIn(() => signIn(authenticator, lies));
  });
});

describe('a credential', () => {
  it('belongs to one user, and is theirs once (K-05)', async () => {
    const ada = await owner();
    const credentialId = Buffer.from(ada.authenticator.id, 'base64url');
    for (const person of [ada, await register()]) {
      const before = await state();
      const answer = await enrol(person, newAuthenticator({ credentialId }));
      expect(outcome(answer)).toEqual([409, 'conflict']);
      expect(await state()).toEqual(before);
    }
    expect((await signIn(ada.authenticator)).body.user.id).toBe(ada.id);
  });

  it('is registered once by many at the same time (K-05)', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, () => register()));
    const credentialId = Buffer.alloc(32, 7);
    const answers = await Promise.all(
      people.map((person) => enrol(person, newAuthenticator({ credentialId }))),
    );
    expect(statusesOf(answers)).toEqual([201, 409, 409, 409, 409, 409]);
  });

  it('is one of twenty at most (K-05)', async () => {
    const ada = await owner();
    const answers = await Promise.all(
      Array.from({ length: 23 }, () => enrol(ada, newAuthenticator())),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(19);
    expect(answers.filter(({ status }) => status === 409)).toHaveLength(4);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(20);
  });

  it('has an id of any length that WebAuthn allows', async () => {
    for (const size of [16, 255, 1023]) {
      const { authenticator } = await owner({ credentialId: Buffer.alloc(size, size) });
      expect((await signIn(authenticator)).status, `${size}`).toBe(200);
    }
  });

  it('with the user handle of another user is refused (K-06)', async () => {
    const [ada, bob] = [await owner(), await owner()];
    const handleOf = (id: string) => Buffer.from(id).toString('base64url');
    expect((await signIn(ada.authenticator, { userHandle: handleOf(ada.id) })).status).toBe(200);
    for (const userHandle of [handleOf(bob.id), handleOf(`${ada.id}x`), 'AAAA', '', null])
      await refusesSignIn(() => signIn(ada.authenticator, { userHandle }));
  });

  it('of a user who is disabled, deleted or unconfirmed opens nothing (K-08)', async () => {
    const [disabled, deleted] = [await owner(), await owner()];
    await disableUser(ctx, disabled.id);
    await refusesSignIn(() => signIn(disabled.authenticator));
    await deleted.ask('DELETE', '/me', { body: { password } });
    await refusesSignIn(() => signIn(deleted.authenticator));
  });

  it('of a stranger who used the address of somebody else goes when its owner comes', async () => {
    const { id, authenticator } = await owner({}, { username: 'vic', email: 'vic@example.com' });
    const user = (await User.findByPk(id, { include: ['roles'] }))!;
    await ctx.db.transaction(() => takeOver(ctx, user, { provider: 'google', name: null }));
    await refusesSignIn(() => signIn(authenticator));
    expect((await User.findByPk(id))!.factors).toBe(0);
    expect(await Passkey.count({ where: { digest: digestOf(authenticator.id) } })).toBe(0);
    expect(await RecoveryCode.count({ where: { userId: id } })).toBe(0);
  });

  it('of a user whose address is unconfirmed opens nothing (K-08)', async () => {
    const strict = await startPasskeys({ EMAIL_VERIFICATION: 'required' });
    const email = 'una@example.com';
    const { id } = await strict.auth.users.create({ email, password, emailVerified: true });
    const { body } = await strict.logIn(email);
    const una = {
      ...(await strict.auth.users.find(id))!.toJSON(),
      ask: (method: string, path: string, question = {}) =>
        strict.ask(method, path, { token: body.accessToken, ...question }),
    } as unknown as Awaited<ReturnType<typeof register>>;
    const authenticator = newAuthenticator();
    expect((await strict.enrol(una, authenticator)).status).toBe(201);
    expect((await strict.signIn(authenticator)).status).toBe(200);
    await strict.User.update({ emailVerifiedAt: null }, { where: { id } });
    const { status, body: refusal } = await strict.signIn(authenticator);
    expect([status, refusal.code]).toEqual([403, 'email_unverified']);
  });
});

const nested = (depth: number) => Buffer.concat([Buffer.alloc(depth, 0x81), Buffer.from([0xa0])]);
const claimed = (major: number) => Buffer.from([(major << 5) | 27, 255, 255, 255, 255, 255, 255, 255, 255]); // prettier-ignore
describe('an attestation (K-07)', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', Buffer.from([0xa0])],
    ['no CBOR', Buffer.from('this is no CBOR at all')],
    ['random bytes', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 167 + 13) % 256))],
    ['a text', cbor('text')],
    ['null', Buffer.from([0xf6])],
    ['nested 6 000 deep', nested(6000)],
    ['a list that claims to be endless', claimed(4)],
    ['a map that claims to be endless', claimed(5)],
    ['bytes that claim to be endless', claimed(2)],
    ['of indefinite length', Buffer.from([0x9f, 0x9f, 0x9f])],
    ['without authenticator data', cbor(new Map<Cbor, Cbor>([['fmt', 'none'], ['attStmt', new Map()]]))], // prettier-ignore
    ['with short authenticator data', cbor(new Map<Cbor, Cbor>([['fmt', 'none'], ['attStmt', new Map()], ['authData', Buffer.alloc(36)]]))], // prettier-ignore
    ['with a text for authenticator data', cbor(new Map<Cbor, Cbor>([['fmt', 'none'], ['attStmt', new Map()], ['authData', 'x'.repeat(200)]]))], // prettier-ignore
  ])('of %s is refused in no time', async (_what, attestationObject) => {
    const start = performance.now();
    await refusesRegistration({ attestationObject });
    expect(performance.now() - start).toBeLessThan(HANGS);
  });

  it('with a key of an algorithm that was not offered is refused', async () => {
    await refusesRegistration({}, { algorithm: 'ES384' });
  });

  it('is not asked for, and not read if it comes: nobody is called for its certificates', async () => {
    const attStmt = new Map<Cbor, Cbor>([
      ['alg', -7],
      ['sig', Buffer.alloc(70, 1)],
      ['x5c', [Buffer.alloc(300, 2)]],
    ]);
    for (const fmt of ['packed', 'tpm', 'fido-u2f', 'apple', 'android-key', 'made up']) {
      const { status } = await register_({ fmt, attStmt });
      expect(status, fmt).toBe(201);
    }
  });

  it('is needed where models are listed, and so is one of these models', async () => {
    const [one, two] = ['cb69481e-8ff7-4039-93ec-0a2729a154a8', 'ee882879-721c-4913-9775-3dfcce97072a']; // prettier-ignore
    const strict = await startPasskeys({ PASSKEY_AAGUIDS: `${one.toUpperCase()}, ${two}` });
    const ada = await strict.register();
    expect((await strict.optionsOf(ada)).publicKey.attestation).toBe('direct');
    const enrolled = async (aaguid: string | undefined, lies: Lies) =>
      outcome(await strict.enrol(ada, newAuthenticator({ ...(aaguid && { aaguid }) }), lies));
    const packed = { fmt: 'packed', attStmt: new Map<Cbor, Cbor>([['alg', -7]]) };
    const other = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
    for (const [aaguid, lies] of [
      [one, {}],
      [undefined, {}],
      [other, packed],
      [undefined, packed],
      [other, { fmt: 'none' }],
    ] as const)
      // prettier-ignore
      expect(await enrolled(aaguid, lies)).toEqual([400, 'passkey_refused']);
    expect(await strict.Factor.count()).toBe(0);
    expect(await enrolled(one, packed)).toEqual([201, undefined]);
    expect(await enrolled(two, packed)).toEqual([201, undefined]);
  });

  it.each<[string, number, unknown]>([
    ['of 1 MB', 413, { attestationObject: 'A'.repeat(1_000_000) }],
    ['nested 10 000 deep', 400, { attestationObject: nested(10_000).toString('base64url') }],
    ['longer than any', 400, { attestationObject: 'A'.repeat(9000) }],
    ['that is no base64url', 400, { attestationObject: 'a+b/==' }],
    ['that is a number', 400, { attestationObject: 7 }],
    ['that is not there', 400, { attestationObject: undefined }],
    ['with client data that are no JSON', 400, { clientDataJSON: 'AAAA' }],
    ['with client data that are null', 400, { clientDataJSON: Buffer.from('null').toString('base64url') }], // prettier-ignore
    ['with client data that are a list', 400, { clientDataJSON: Buffer.from('[]').toString('base64url') }], // prettier-ignore
  ])('%s is refused', async (_what, expected, response) => {
    const ada = await register();
    const { challengeToken, publicKey } = await optionsOf(ada);
    const credential = newAuthenticator().register(publicKey);
    Object.assign(credential.response, response);
    const { status } = await ada.ask('POST', '/me/factors/passkeys', {
      body: { challengeToken, credential },
    });
    expect(status).toBe(expected);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(0);
  });

  it.each<[string, object]>([
    ['another id', { id: 'AAAAAAAAAAAAAAAAAAAAAA', rawId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
    ['two ids', { rawId: 'AAAAAAAAAAAAAAAAAAAAAA' }],
  ])('with %s is refused', async (_what, fields) => {
    const ada = await register();
    const { challengeToken, publicKey } = await optionsOf(ada);
    const credential = { ...newAuthenticator().register(publicKey), ...fields };
    const answer = await ada.ask('POST', '/me/factors/passkeys', {
      body: { challengeToken, credential },
    });
    expect(outcome(answer)).toEqual([400, 'passkey_refused']);
  });
});

it.each<[string, object]>([
  ['no authenticator data', { authenticatorData: 'AAAA' }],
  ['a junk signature', { signature: 'AAAA' }],
  ['client data that are no JSON', { clientDataJSON: 'AAAA' }],
  ['client data that are null', { clientDataJSON: Buffer.from('null').toString('base64url') }],
])('an assertion with %s is refused', async (_what, response) => {
  const { authenticator } = await owner();
  const { challengeToken, publicKey } = await challenge();
  const credential = authenticator.sign(publicKey);
  Object.assign(credential.response, response);
  const body = { challengeToken, credential };
  await refusesSignIn(() => ask('POST', '/auth/passkey', { body }));
});

it('a passkey is made after a fresh sign-in only, and not with an API key (M-08)', async () => {
  const ada = await register();
  const options = await optionsOf(ada);
  await Session.update(
    { createdAt: new Date(Date.now() - 2 * 3600 * SECOND) },
    { where: { userId: ada.id } },
  );
  const body = {
    challengeToken: options.challengeToken,
    credential: newAuthenticator().register(options.publicKey),
  };
  for (const path of ['/me/factors/passkeys/options', '/me/factors/passkeys'])
    expect(outcome(await ada.ask('POST', path, { body }))).toEqual([403, 'step_up_required']);
});
