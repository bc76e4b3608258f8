import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { entryOf } from '#strategies/_directory';
import ldap from '#strategies/ldap';
import { startApp } from '#test/support/app';
import {
  ADMIN,
  ADMIN_PASSWORD,
  BASE,
  hasDirectory,
  person,
  startDirectory,
} from '#test/support/directory';
import { addApp } from '#test/support/second-factor';

const password = 'ida keeps it secret';
const people =
  person('ida', { cn: 'Ida P', mail: 'ida@corp.test', userPassword: password }) +
  person('sue', { userPassword: password }) +
  person('olga', { mail: 'olga@elsewhere.test', userPassword: password }) +
  person('nobody', { mail: 'nobody@corp.test' }) +
  person('twin', { cn: 'twin 1', userPassword: password }) +
  person('twin', { cn: 'twin 2', userPassword: password }) +
  person('triplet', { cn: 't 1', userPassword: password }) +
  person('triplet', { cn: 't 2', userPassword: password }) +
  person('triplet', { cn: 't 3', userPassword: password }) +
  person('lea', { ou: 'leavers', userPassword: password });

describe.runIf(hasDirectory)('POST /auth/ldap', async () => {
  if (!hasDirectory) return;
  const directory = await startDirectory(people);
  const { ask, ctx, register, Identity, Session, User } = await startApp({
    LDAP_URL: directory.url,
    LDAP_BIND_DN: ADMIN,
    LDAP_BIND_PASSWORD: ADMIN_PASSWORD,
    LDAP_SEARCH_BASE: `ou=people,${BASE}`,
    LDAP_EMAIL_DOMAINS: 'corp.test',
  });
  const signIn = (username: unknown, secret: unknown = password, more = {}) =>
    ask('POST', '/auth/ldap', { body: { username, password: secret, ...more } });
  const counts = async () => [await User.count(), await Identity.count(), await Session.count()];

  it('signs in with the right password, and makes one user of somebody', async () => {
    const { status, body, text } = await signIn('ida', password, { device: { name: 'desk' } });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      session: { strategy: 'ldap' },
      user: {
        username: 'ida',
        email: 'ida@corp.test',
        emailVerified: true,
        name: 'Ida P',
        roles: ['user'],
      },
    });
    expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(body.user.id);
    for (const spelling of ['IDA', ' ida '])
      expect((await signIn(spelling)).body.user.id).toBe(body.user.id);
    expect(await Identity.count({ where: { userId: body.user.id } })).toBe(1);
  });

  it('asks a user with a second factor for it, and only after the right password', async () => {
    const { body: first } = await signIn('sue');
    const token = first.accessToken as string;
    const { code } = await addApp(ctx, {
      ask: (method, path, question = {}) => ask(method, path, { token, ...question }),
    });
    const before = await counts();
    const wrong = await signIn('sue', 'not her password');
    expect([wrong.status, wrong.body.code]).toEqual([401, 'invalid_credentials']);
    const begun = await signIn('sue');
    expect([begun.status, begun.body.code]).toEqual([403, 'mfa_required']);
    expect(await counts()).toEqual(before);
    const { mfaToken } = begun.body;
    const { status, body } = await ask('POST', '/auth/mfa', { body: { mfaToken, code: code() } });
    expect([status, body.user.id]).toEqual([200, first.user.id]);
    expect(body.session).toMatchObject({ strategy: 'ldap', acr: 'aal2' });
  });

  it('is checked for a doctor, and says which setting is wrong', async () => {
    const right = {
      LDAP_URL: directory.url,
      LDAP_BIND_DN: ADMIN,
      LDAP_BIND_PASSWORD: ADMIN_PASSWORD,
      LDAP_SEARCH_BASE: BASE,
      LDAP_ATTRIBUTE: 'uid',
      LDAP_EMAIL_DOMAINS: [],
    };
    const check = async (own: object) => ldap.check!({ ...right, ...own });
    expect(await check({})).toEqual([]);
    const canary = 'canary password';
    expect((await check({ LDAP_BIND_PASSWORD: canary })).join()).toMatch(
      /^The directory refuses LDAP_BIND_DN with LDAP_BIND_PASSWORD\. Compare/,
    );
    expect((await check({ LDAP_BIND_PASSWORD: canary })).join()).not.toContain(canary);
    expect((await check({ LDAP_SEARCH_BASE: `ou=nowhere,${BASE}` })).join()).toContain(
      'does not know LDAP_SEARCH_BASE',
    );
    expect((await check({ LDAP_URL: 'ldap://127.0.0.1:9' })).join()).toMatch(
      /cannot be reached \(ECONNREFUSED\)/,
    );
  });

  it('says in the log why the directory refused', async () => {
    const written = vi.spyOn(ctx.log, 'warn');
    await signIn('ida', 'wrong');
    expect(written).toHaveBeenCalledWith(
      expect.objectContaining({ strategy: 'ldap' }),
      'a sign-in failed',
    );
    written.mockRestore();
  });

  it.each([
    ['a wrong password', 'ida', 'wrong'],
    ['the password with a NUL after it', 'ida', `${password}\0`],
    ['somebody unknown', 'nemo', password],
    ['somebody who has no password', 'nobody', password],
    ['somebody outside the search base', 'lea', password],
    ['a name that two have', 'twin', password],
    ['a name that three have', 'triplet', password],
    ['anything', '*', password],
    ['part of a filter', 'ida)(uid=*', password],
    ['more of a filter', '*)(objectClass=*))(|(uid=*', password],
    ['an escape', '\\69da', password],
    ['NUL', '\0', password],
    ['a name with NUL after it', 'ida\0', password],
    ['a name', ADMIN, ADMIN_PASSWORD],
    ['letters that are none', '\ud800', password],
    ['a long name', 'i'.repeat(256), password],
    ['a long password', 'ida', 'i'.repeat(1024)],
  ])('refuses %s with the same words, and changes nothing', async (_what, username, secret) => {
    const before = await counts();
    const { status, body } = await signIn(username, secret);
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect(await counts()).toEqual(before);
  });

  it.each([
    [
      'an empty password, by which a directory lets anybody in',
      { username: 'ida', password: '' },
      '/password',
    ],
    ['no password', { username: 'ida' }, '/password'],
    ['an empty name', { username: '', password }, '/username'],
    ['lists', { username: ['ida'], password: [password] }, '/username'],
    ['null', { username: 'ida', password: null }, '/password'],
    ['a filter of its own', { username: 'ida', password, filter: '(uid=*)' }, '/filter'],
    ['a name of 257', { username: 'i'.repeat(257), password }, '/username'],
  ])('refuses %s', async (_what, body, pointer) => {
    const answer = await ask('POST', '/auth/ldap', { body });
    expect([answer.status, answer.body.errors?.[0].pointer]).toEqual([400, pointer]);
  });

  it('does not join an address outside LDAP_EMAIL_DOMAINS to the user who has it here', async () => {
    const olga = await register({ email: 'olga@elsewhere.test' });
    const { status, body } = await signIn('olga');
    expect([status, body.code]).toEqual([409, 'already_linked']);
    expect((await olga.ask('GET', '/me')).status).toBe(200);
    const linked = await olga.ask('POST', '/me/identities/ldap', {
      body: { username: 'olga', password },
    });
    expect(linked.status, linked.text).toBe(201);
    expect((await signIn('olga')).body.user.id).toBe(olga.id);
    const wrong = await olga.ask('POST', '/me/identities/ldap', {
      body: { username: 'ida', password: 'wrong' },
    });
    expect(wrong.body.code).toBe('invalid_credentials');
  });

  it('knows people again who are called something else now, and nobody by the name that somebody else had', async () => {
    const before = (await signIn('ida')).body.user.id;
    const dn = `cn=Ida P,ou=people,${BASE}`;
    directory.modify(`dn: ${dn}\nchangetype: modrdn\nnewrdn: cn=Ida Q\ndeleteoldrdn: 1\n`);
    directory.modify(
      `dn: cn=Ida Q,ou=people,${BASE}\nchangetype: modify\nreplace: uid\nuid: idaq\n-\ndelete: mail\n`,
    );
    expect((await signIn('idaq')).body.user.id).toBe(before);
    const other = person('ida', { cn: 'Ida P', userPassword: password });
    directory.modify(other.replace('\n', '\nchangetype: add\n'));
    const { body } = await signIn('ida');
    expect(body.user.id).not.toBe(before);
    expect(body.user.username).not.toBe('ida');
  });

  describe('with a mistake of the operator, or a directory that is unavailable', () => {
    const right = {
      url: directory.url,
      bindDn: ADMIN,
      bindPassword: ADMIN_PASSWORD,
      base: BASE,
      attribute: 'uid',
    };
    afterEach(() => setDefaultCACertificates(getCACertificates('bundled')));

    it.each([
      [
        'a wrong LDAP_BIND_PASSWORD',
        { bindPassword: 'wrong' },
        /refuses LDAP_BIND_DN with LDAP_BIND_PASSWORD/,
      ],
      ['a wrong LDAP_BIND_DN', { bindDn: `cn=nobody,${BASE}` }, /refuses LDAP_BIND_DN/],
      ['an LDAP_BIND_DN that is none', { bindDn: 'admin' }, /refuses LDAP_BIND_DN/],
      [
        'an LDAP_SEARCH_BASE that is not there',
        { base: `ou=people,dc=nowhere` },
        /cannot search LDAP_SEARCH_BASE/,
      ],
      ['a port that nobody listens on', { url: 'ldap://127.0.0.1:9' }, /ECONNREFUSED/],
      ['a host that is not there', { url: 'ldaps://directory.invalid' }, /ENOTFOUND|EAI_AGAIN/],
      ['a server without TLS at ldaps://', { url: directory.url.replace('ldap', 'ldaps') }, /./],
      ['a certificate that nobody has signed', { url: directory.tlsUrl }, /self-signed/],
      ['the same after STARTTLS', { url: `ldap://0.0.0.0:${directory.port}` }, /self-signed/],
    ])('is unavailable, and says why: %s', async (_what, wrong, sentence) => {
      const error = await entryOf({ ...right, ...wrong }, 'olga', password).catch(
        (error: unknown) => error,
      );
      expect(error).toMatchObject({ code: 'unavailable', status: 503 });
      expect(String((error as { cause: unknown }).cause)).toMatch(sentence);
    });

    it('reads the directory over TLS once its certificate is known: ldaps, and STARTTLS', async () => {
      setDefaultCACertificates([directory.certificate]);
      for (const url of [directory.tlsUrl, `ldap://0.0.0.0:${directory.port}`])
        expect(await entryOf({ ...right, url }, 'olga', password)).toMatchObject({ uid: 'olga' });
      await expect(
        entryOf({ ...right, url: directory.tlsUrl }, 'olga', 'wrong'),
      ).rejects.toMatchObject({ code: 'invalid_credentials' });
      const other = directory.tlsUrl.replace('127.0.0.1', 'localhost'); // the same server, by a name that is not in its certificate
      const error = await entryOf({ ...right, url: other }, 'olga', password).catch(
        (error: unknown) => error,
      );
      expect(String((error as { cause: unknown }).cause)).toContain(
        "does not match certificate's altnames",
      );
    });

    it('reads no photo and no hash of a password', async () => {
      const entry = (await entryOf(right, 'olga', password))!;
      expect(
        Object.keys(entry)
          .filter((name) => (entry[name] as unknown[]).length > 0)
          .sort(),
      ).toEqual(['cn', 'dn', 'entryUUID', 'mail', 'uid']);
    });

    // The last two: the directory is gone afterwards.
    it('answers 503 within its timeout when the directory freezes, and signs in when it goes on', async () => {
      await directory.freeze();
      const answers = await Promise.all(
        ['olga', 'nemo'].map((username) =>
          ask('POST', '/auth/ldap', { body: { username, password } }),
        ),
      );
      expect(answers.map(({ body }) => body.code)).toEqual(['unavailable', 'unavailable']);
      directory.thaw();
      expect((await signIn('olga')).status).toBe(200);
    });

    it('answers 503 when the directory is gone, and the log says why, without a password', async () => {
      await directory.stop();
      const written = vi.spyOn(ctx.log, 'warn');
      const { status, body, headers } = await signIn('olga');
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'unavailable', '2']);
      const calls = written.mock.calls as unknown as [{ err: unknown }][];
      const said = calls.map(([{ err }]) => String(err)).join();
      written.mockRestore();
      expect(said).toContain('ECONNREFUSED');
      expect(said).not.toContain(password);
    });
  });
});
