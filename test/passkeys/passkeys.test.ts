import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';
import { ORIGIN, RP_ID, startPasskeys } from '#test/support/passkeys';
import { statementsOf } from '#test/support/statements';

const mailbox = await openMailbox();
const app = await startPasskeys(mailbox.env);
const { ask, auth, challenge, enrol, newAuthenticator, optionsOf, owner, register, signIn } = app;
const { Factor, Passkey, User } = app;
const statements = statementsOf(User.sequelize);

afterEach(() => {
  vi.useRealTimers();
});

describe('a passkey', () => {
  it('is made, signs in without a name, and is two factors by itself', async () => {
    const ada = await register({ username: 'ada', name: 'Ada Lovelace' });
    const { challengeToken, publicKey } = await optionsOf(ada);
    expect(publicKey).toEqual({
      rp: { id: RP_ID, name: RP_ID },
      user: { id: expect.any(String), name: 'ada', displayName: 'Ada Lovelace' },
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      pubKeyCredParams: [-8, -7, -257].map((alg) => ({ type: 'public-key', alg })),
      timeout: 300_000,
      excludeCredentials: [],
      authenticatorSelection: {
        residentKey: 'required',
        requireResidentKey: true,
        userVerification: 'required',
      },
      attestation: 'none',
      extensions: { credProps: true },
    });
    expect(Buffer.from(publicKey.user.id, 'base64url').length).toBeLessThanOrEqual(64);
    const authenticator = newAuthenticator();
    const made = await ada.ask('POST', '/me/factors/passkeys', {
      body: { challengeToken, credential: authenticator.register(publicKey) },
    });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ kind: 'passkey', name: 'Passkey', lastUsedAt: null });
    expect(made.body.recoveryCodes).toHaveLength(10);

    const { body: options } = await ask('POST', '/auth/passkey/options', { body: {} });
    expect(options.publicKey).toEqual({
      rpId: RP_ID,
      challenge: expect.stringMatching(/^[\w-]{43}$/),
      timeout: 300_000,
      userVerification: 'required',
    });
    const { status, body, text } = await ask('POST', '/auth/passkey', {
      body: {
        challengeToken: options.challengeToken,
        credential: authenticator.sign(options.publicKey),
        device: { name: 'A phone' },
      },
    });
    expect(status, text).toBe(200);
    expect(body.user).toMatchObject({ id: ada.id, username: 'ada' });
    expect(body.session).toMatchObject({
      strategy: 'passkey',
      amr: ['hwk', 'user', 'mfa'],
      acr: 'aal2',
    });
    const { body: listed } = await ask('GET', '/me/factors', { token: body.accessToken });
    expect(listed.data).toMatchObject([{ id: made.body.id, kind: 'passkey', name: 'Passkey' }]);
    expect(listed.data[0].lastUsedAt).not.toBeNull();
    const { body: sessions } = await ask('GET', '/me/sessions', { token: body.accessToken });
    expect(sessions.data[0].device).toMatchObject({ name: 'A phone' });
  });

  it.each(['ES256', 'EdDSA', 'RS256'] as const)('may have a key for %s', async (algorithm) => {
    const { authenticator, id } = await owner({ algorithm });
    const { status, body, text } = await signIn(authenticator);
    expect([status, body.user?.id], text).toEqual([200, id]);
  });

  it('is named by its owner, or after who keeps it', async () => {
    const grace = await owner();
    const known = 'ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4';
    const name = async (...given: Parameters<typeof enrol>) => (await enrol(...given)).body.name;
    expect(await name(grace, newAuthenticator({ aaguid: known }))).toBe('Google Password Manager');
    expect(await name(grace, newAuthenticator({ transports: ['usb', 'nfc'] }))).toBe(
      'Security key',
    );
    expect(await name(grace, newAuthenticator({ transports: [] }))).toBe('Passkey');
    expect(await name(grace, newAuthenticator(), { name: 'On my desk' })).toBe('On my desk');
    const { body } = await grace.ask('GET', '/me/factors');
    expect(body.data).toHaveLength(5);
  });

  it('is renamed and removed like every factor, and opens nothing afterwards', async () => {
    const { ask: askAs, authenticator, factorId } = await owner();
    const path = `/me/factors/${factorId}`;
    expect((await askAs('PATCH', path, { body: { name: 'Old phone' } })).body.name).toBe(
      'Old phone',
    );
    expect((await signIn(authenticator)).status).toBe(200);
    expect((await askAs('DELETE', path)).status).toBe(204);
    expect(await Passkey.count({ where: { factorId } })).toBe(0);
    const { status, body } = await signIn(authenticator);
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('is not offered to an authenticator that has one of this user', async () => {
    const ada = await owner({ transports: ['usb', 'ble', 'Evil value!', 'x'.repeat(30)] });
    const { publicKey } = await optionsOf(ada);
    expect(publicKey.excludeCredentials).toEqual([
      { id: ada.authenticator.id, type: 'public-key', transports: ['usb', 'ble'] },
    ]);
  });

  it('gives recovery codes with the first factor only, and tells its owner of each', async () => {
    const email = 'ida@example.com';
    const ida = await owner({}, { username: 'ida', email });
    expect(ida.recoveryCodes).toHaveLength(10);
    expect((await mailbox.next(email)).text).toContain('a passkey was added');
    const second = await enrol(ida, newAuthenticator());
    expect([second.status, second.body.recoveryCodes]).toEqual([201, null]);
    expect((await mailbox.next(email)).text).toContain('a passkey was added');
  });

  it('says whether it was copied to other devices, as of its last use', async () => {
    const { authenticator, factorId, ask: askAs } = await owner();
    const state = async () => {
      const { body } = await askAs('GET', '/me/factors');
      const [{ deviceType, backedUp }] = body.data;
      expect((await Passkey.findByPk(factorId))!.backedUp).toBe(backedUp);
      return [deviceType, backedUp];
    };
    expect(await state()).toEqual(['multiDevice', true]);
    expect((await signIn(authenticator, { bs: false })).status).toBe(200);
    expect(await state()).toEqual(['multiDevice', false]);
    expect((await signIn(authenticator)).status).toBe(200);
    expect(await state()).toEqual(['multiDevice', true]);
    const renamed = await askAs('PATCH', `/me/factors/${factorId}`, { body: { name: 'phone' } });
    expect(renamed.body).toMatchObject({ deviceType: 'multiDevice', backedUp: true });

    const counting = await owner({ counts: true });
    expect((await signIn(counting.authenticator, { bs: false })).status).toBe(200);
    const { body: counted } = await counting.ask('GET', '/me/factors');
    expect(counted.data).toMatchObject([{ deviceType: 'multiDevice', backedUp: false }]);
    const person = await register();
    const made = await enrol(person, newAuthenticator(), { be: false, bs: false });
    expect(made.body).toMatchObject({ deviceType: 'singleDevice', backedUp: false });
  });

  it('announces itself', async () => {
    const heard: unknown[] = [];
    auth.on('factor.added', (event) => void heard.push(event));
    const { id, factorId } = await owner();
    expect(heard).toContainEqual({ userId: id, factorId, kind: 'passkey' });
  });

  it('is deleted with its user', async () => {
    const { ask: askAs, factorId } = await owner();
    expect((await askAs('DELETE', '/me', { body: { password } })).status).toBe(204);
    expect([await Factor.count({ where: { id: factorId } }), await Passkey.count({ where: { factorId } })]).toEqual([0, 0]); // prettier-ignore
  });
});

describe('as a second factor', () => {
  async function asked(username: string) {
    const { status, body, text } = await ask('POST', '/auth/login', {
      body: { identifier: username, password },
    });
    expect([status, body.code], text).toEqual([403, 'mfa_required']);
    return body as { mfaToken: string; factors: string[] };
  }
  const optionsFor = async (mfaToken: string) => {
    const { status, body, text } = await ask('POST', '/auth/mfa/options', { body: { mfaToken } });
    expect(status, text).toBe(200);
    return body.publicKey;
  };

  it('is asked for after a password, and its answer signs in', async () => {
    const { username, id, authenticator } = await owner();
    const { mfaToken, factors } = await asked(username);
    expect(factors).toEqual(expect.arrayContaining(['passkey', 'recovery_code']));
    const publicKey = await optionsFor(mfaToken);
    expect(publicKey).toMatchObject({
      rpId: RP_ID,
      userVerification: 'required',
      allowCredentials: [
        { id: authenticator.id, type: 'public-key', transports: ['internal', 'hybrid'] },
      ],
    });
    const credential = authenticator.sign(publicKey);
    const { status, body, text } = await ask('POST', '/auth/mfa', {
      body: { mfaToken, credential },
    });
    expect([status, body.user?.id], text).toEqual([200, id]);
    expect(body.session).toMatchObject({ strategy: 'local', acr: 'aal2' });
    expect(body.session.amr).toEqual(['pwd', 'hwk', 'user', 'mfa']);
    const again = await ask('POST', '/auth/mfa', { body: { mfaToken, credential } });
    expect(again.status).toBeGreaterThanOrEqual(400);
  });

  it('may be any of several', async () => {
    const ada = await owner();
    const other = newAuthenticator();
    expect((await enrol(ada, other)).status).toBe(201);
    const { mfaToken } = await asked(ada.username);
    const publicKey = await optionsFor(mfaToken);
    expect(publicKey.allowCredentials).toHaveLength(2);
    const { status, text } = await ask('POST', '/auth/mfa', {
      body: { mfaToken, credential: other.sign(publicKey) },
    });
    expect(status, text).toBe(200);
  });

  it('is no factor of somebody else (M-02)', async () => {
    const [ada, bob] = [await owner(), await owner()];
    const { mfaToken } = await asked(ada.username);
    const publicKey = await optionsFor(mfaToken);
    const { status, body } = await ask('POST', '/auth/mfa', {
      body: { mfaToken, credential: bob.authenticator.sign(publicKey) },
    });
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('signs the challenge of this one sign-in', async () => {
    const { username, authenticator } = await owner();
    const [first, second] = [await asked(username), await asked(username)];
    const credential = authenticator.sign(await optionsFor(first.mfaToken));
    const { status } = await ask('POST', '/auth/mfa', {
      body: { mfaToken: second.mfaToken, credential },
    });
    expect(status).toBe(401);
    const ofSignIn = authenticator.sign((await challenge()).publicKey);
    const answer = { mfaToken: second.mfaToken, credential: ofSignIn };
    expect((await ask('POST', '/auth/mfa', { body: answer })).status).toBe(401);
  });

  it('is used once when it is sent many times at once', async () => {
    const { username, authenticator } = await owner();
    const { mfaToken } = await asked(username);
    const credential = authenticator.sign(await optionsFor(mfaToken));
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => ask('POST', '/auth/mfa', { body: { mfaToken, credential } })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });
});

it('the options for a sign-in cost no statement, and say the same to everybody (K-09)', async () => {
  await owner();
  statements.length = 0;
  const [one, other] = [await challenge(), await challenge()];
  expect(statements).toEqual([]);
  expect(one.publicKey.challenge).not.toBe(other.publicKey.challenge);
  expect(Object.keys(one)).toEqual(['challengeToken', 'publicKey']);
  const named = { username: 'ada', email: 'ada@example.com', identifier: 'ada' };
  const { status } = await ask('POST', '/auth/passkey/options', { body: named });
  expect(status).toBe(400);
});

it('is listed as a way to sign in', async () => {
  const { body } = await ask('GET', '/auth/strategies');
  expect(body).toContainEqual(expect.objectContaining({ name: 'passkey', kind: 'login' }));
  expect(ORIGIN).toBe('https://app.example.com');
});
