import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { createAuthenticator } from '#test/support/authenticator';
import { emptyDatabase } from '#test/support/database';
import { ORIGIN, RP_ID, startPasskeys } from '#test/support/passkeys';
import { rowsOf } from '#test/support/process';
import { addApp, totpCode } from '#test/support/second-factor';
import { contentsOf, importerInto } from '#test/support/tutorials/importing';
import { hashed } from '#test/support/tutorials/old-database';

const APP_SECRET = 'Zx81vTq0Rk5Bn7Ym2Wd9Lc4Jf6Hs3Gp+/AaEeUuIi';
const PASSKEYS = { PASSKEY_RP_ID: RP_ID, PASSKEY_ORIGINS: ORIGIN, APP_SECRET };
const OTHER_SECRET = 'kQ2v9Xr7Lm4Zp1Wt8Yb6Nc3Hd5Gf0JsAaEeUu+/';
const bcrypt = hashed(password);
const id = (n: number) => `0197a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const SECRET = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP';
const lines = (...each: unknown[]) => each.map((line) => JSON.stringify(line)).join('\n');
const WITH_HASHES = 'users export --with-password-hashes';

/** A passkey as a registration leaves it, in a line of our own format. */
const { id: credentialId } = createAuthenticator({ origin: ORIGIN });
const publicKey =
  'pQECAyYgASFYIGx5IbDcHmXFlM-5F1kJ0OLDtXFFZ0IgfWSdS_sSyiNSIlggVXZkyjRKr6oeyMnCQxPCSjvUNC94qrKmHAqLbsvNBbs';
const passkey = { kind: 'passkey', credentialId, publicKey };
const user = (n: number, factors: unknown, more: object = {}) => ({
  id: id(n),
  username: `u${n}`,
  passwordHash: bcrypt,
  factors,
  ...more,
});

/** Imports into an empty database. Answers the report and the database. */
async function brought(contents: string, options = '', env: Record<string, string> = PASSKEYS) {
  const databaseUrl = await emptyDatabase();
  const { run } = importerInto(databaseUrl, env);
  return { databaseUrl, run, ...(await run(`users import -${options}`, contents)) };
}

describe('a line', () => {
  it.each<[string, unknown, string]>([
    ['a factor of no kind', [{ secret: SECRET }], 'its factors: A factor has a kind'],
    ['an unknown kind', [{ kind: 'canary' }], 'its factors: A factor has a kind'],
    ['no list', { kind: 'totp' }, 'its factors: Invalid input: expected array'],
    ['a text', ['totp'], 'its factors: '],
    ['null', [null], 'its factors: '],
    [
      'a key that is not known',
      [{ kind: 'totp', secret: SECRET, canary: 1 }],
      'its factors: a key is not known here',
    ],
    [
      'a secret that is not base 32',
      [{ kind: 'totp', secret: '10canary10canary' }],
      'its factors: A secret is base 32',
    ],
    [
      'a secret that is too short',
      [{ kind: 'totp', secret: 'JBSWY3DP' }],
      'its factors: A secret is base 32',
    ],
    [
      'a URI of something else',
      [{ uri: 'https://canary.example/?secret=JBSWY3DPEHPK3PXP' }],
      'its factors: A uri begins with otpauth://totp/',
    ],
    [
      'a URI without a secret',
      [{ uri: 'otpauth://totp/canary' }],
      'its factors: A uri begins with otpauth://totp/',
    ],
    [
      'a URI with words for digits',
      [{ uri: `otpauth://totp/canary?secret=${SECRET}&digits=six` }],
      'its factors: Invalid input',
    ],
    [
      'a name with control characters',
      [{ kind: 'totp', secret: SECRET, name: 'canary\u0007' }],
      'its factors: No control characters',
    ],
    [
      'a time to come',
      [{ kind: 'totp', secret: SECRET, createdAt: '9999-01-01T00:00:00Z' }],
      'its factors: a time is not between 1970 and now',
    ],
    [
      '21 factors',
      Array.from({ length: 21 }, () => ({ kind: 'totp', secret: SECRET })),
      'its factors: Too big',
    ],
    [
      'a key that is no COSE key',
      [{ ...passkey, publicKey: 'AAAA' }],
      'its factors: a publicKey is a COSE key',
    ],
    [
      'a key that is nested',
      [{ ...passkey, publicKey: Buffer.alloc(1500, 0x81).toString('base64url') }],
      'its factors: a publicKey is a COSE key',
    ],
    [
      'a key that is too long',
      [{ ...passkey, publicKey: 'A'.repeat(2049) }],
      'its factors: Too big',
    ],
    ['a counter below zero', [{ ...passkey, counter: -1 }], 'its factors: Too small'],
    [
      'a passkey that stands there twice',
      [passkey, passkey],
      'its factors: a passkey stands there twice',
    ],
  ])('with %s is refused, and those beside it are not', async (_what, factors, reason) => {
    const contents = lines(user(1, []), user(2, factors), user(3, [{ kind: 'totp', secret: SECRET }])); // prettier-ignore
    const { lines: report, stderr, databaseUrl } = await brought(contents);
    expect([report.length, stderr]).toEqual([4, '']);
    expect(report[0]).toBe('1\timported\tuser');
    expect(report[1]!.startsWith(`2\trefused\t${reason}`), report[1]).toBe(true);
    expect(report[1]).not.toContain('canary');
    expect(report.slice(2)).toEqual(['3\timported\tuser', '2 imported, 0 unchanged, 1 refused.']);
    const found = await rowsOf(databaseUrl, 'SELECT username, factors FROM users ORDER BY id');
    expect(found).toEqual([
      { username: 'u1', factors: 0 },
      { username: 'u3', factors: 1 },
    ]);
    expect(await rowsOf(databaseUrl, 'SELECT kind FROM factors')).toEqual([{ kind: 'totp' }]);
  });

  it('without an id has neither passkeys nor recovery codes: both name their user', async () => {
    const { lines: report } = await brought(
      lines(
        { username: 'ada', factors: [passkey] },
        { username: 'bob', recoveryCodeHashes: ['a'.repeat(64)] },
        { username: 'cyd', id: id(3), recoveryCodeHashes: ['A'] },
      ),
    );
    expect(report.slice(0, 3)).toEqual([
      '1\trefused\tits factors: a passkey needs the id',
      '2\trefused\tits recoveryCodeHashes: they need the id',
      '3\trefused\tits recoveryCodeHashes: A hash is SHA-256 in hexadecimal',
    ]);
  });

  it('with what is of no use here is imported, and its report says so', async () => {
    const uri = (query: string, kind = 'totp') => `otpauth://${kind}/x?secret=${SECRET}${query}`;
    const said: [unknown[], string][] = [
      [[{ uri: uri('&algorithm=SHA256') }], 'TOTP by SHA256'],
      [[{ uri: uri('&algorithm=MD5') }], 'TOTP by another hash'],
      [[{ uri: uri('&digits=8') }], 'TOTP of 8 digits'],
      [[{ uri: uri('&period=60') }], 'TOTP of 60 seconds'],
      [[{ uri: uri('&counter=1', 'hotp') }], 'HOTP'],
      [[{ kind: 'totp' }], 'TOTP: its secret is not in the file'],
      [[{ kind: 'phone' }, { kind: 'email' }, { kind: 'phone' }], 'codes by phone, codes by mail'],
      [[{ ...passkey, rpId: 'example.net' }], 'a passkey of another domain'],
    ];
    const people = said.map(([factors], i) => user(i, factors, { recoveryCodeHashes: ['a'.repeat(64)] })); // prettier-ignore
    const { lines: report, code, databaseUrl, run } = await brought(lines(...people));
    expect(report.slice(0, said.length)).toEqual(
      said.map(([, words], i) => `${i + 1}\timported\tuser\twithout a second factor: ${words}`),
    );
    const total = `Imported without a second factor that they had: ${said.length}.`;
    expect([code, report.at(-1)]).toEqual([0, total]);
    const after = await contentsOf(databaseUrl);
    expect([after['factors'], after['recovery_codes']]).toEqual([[], []]);
    const dry = await run('users import - --dry-run', lines(user(90, [{ kind: 'phone' }])));
    expect(dry.lines[0]).toBe('1\timported\tuser\twithout a second factor: codes by phone');
    const off = await brought(lines(user(1, [passkey])), '', { PASSKEY_RP_ID: 'none', APP_SECRET });
    expect(off.lines[0]).toBe(
      '1\timported\tuser\twithout a second factor: a passkey: they are off here',
    );
  });

  it('gives nobody the passkey of somebody else', async () => {
    const people = lines(user(1, [passkey]), user(2, [passkey]), user(1, [passkey]));
    const { lines: report, run, databaseUrl } = await brought(people);
    const somebody = 'refused\tsomebody else here has this passkey';
    expect(report.slice(0, 3)).toEqual(['1\timported\tuser', `2\t${somebody}`, '3\tunchanged']);
    const before = await contentsOf(databaseUrl);
    const again = await run('users import -', lines(user(3, [passkey]), user(1, [passkey])));
    expect(again.lines.slice(0, 2)).toEqual([`1\t${somebody}`, '2\tunchanged']);
    expect(await contentsOf(databaseUrl)).toEqual(before);
  });
});

type App = Awaited<ReturnType<typeof startPasskeys>>;
const begin = async ({ logIn }: App, name: string, secret = password) => {
  const { status, body, text } = await logIn(name, secret);
  expect([status, body.code], text).toEqual([403, 'mfa_required']);
  return body as { mfaToken: string; factors: string[] };
};
const finish = ({ ask }: App, body: object) => ask('POST', '/auth/mfa', { body });

it('second factors move with their users to another server, under another APP_SECRET', async () => {
  const here = await startPasskeys({ APP_SECRET });
  const ada = await here.owner({ counts: true }, { username: 'ada' });
  const { secret } = await addApp(here.ctx, ada);
  await ada.ask('POST', '/me/factors/totp', { body: { name: 'canary' } }); // never confirmed
  const { run } = importerInto(here.databaseUrl, PASSKEYS);
  const open = (await run('users export')).lines.join('\n');
  expect(open).not.toContain(secret);
  expect(JSON.parse(open)).toMatchObject({
    factors: [{ kind: 'passkey', rpId: RP_ID, counter: 2, deviceType: 'multiDevice' }, { kind: 'totp' }], // prettier-ignore
  });
  expect(open).not.toMatch(/secret|recoveryCodeHashes|passwordHash|canary/);
  const { lines: whole } = await run(WITH_HASHES);
  expect(whole.join('\n')).toContain(secret);

  const databaseUrl = await emptyDatabase();
  const env = { DATABASE_URL: databaseUrl, APP_SECRET: OTHER_SECRET };
  const elsewhere = importerInto(databaseUrl, { ...PASSKEYS, ...env });
  const shown = totpCode(secret, Date.now());
  const told = await elsewhere.run('users import -', whole.join('\n'));
  expect(told.lines).toEqual(['1\timported\tuser', '1 imported, 0 unchanged, 0 refused.']);
  expect((await elsewhere.run(WITH_HASHES)).lines).toEqual(whole);
  const wrong = await importerInto(databaseUrl, PASSKEYS).run(WITH_HASHES);
  expect([wrong.code, wrong.lines]).toEqual([1, []]);
  expect(wrong.stderr).toMatch(/^The secret of an authenticator app was encrypted under another/);

  const there = await startPasskeys(env);
  const first = await begin(there, 'ada');
  expect(first.factors).toEqual(['totp', 'passkey', 'recovery_code']);
  const { mfaToken } = first;
  // What was shown when the file was read may have been used at the other server.
  expect((await finish(there, { mfaToken, code: shown })).status).toBe(401);
  const code = totpCode(secret, there.ctx.clock.now(), 1);
  const signedIn = await finish(there, { mfaToken, code });
  expect([signedIn.status, signedIn.body.session?.acr], signedIn.text).toEqual([200, 'aal2']);
  expect(signedIn.body.user.id).toBe(ada.id);
  const listed = await there.ask('GET', '/me/factors', { token: signedIn.body.accessToken });
  expect(listed.body).toMatchObject({
    data: [{ kind: 'totp' }, { kind: 'passkey', name: 'Passkey' }],
    recoveryCodesLeft: 10,
  });

  const second = await begin(there, 'ada');
  const codes = { mfaToken: second.mfaToken, recoveryCode: ada.recoveryCodes[3] };
  expect((await finish(there, codes)).status).toBe(200);
  const third = await begin(there, 'ada');
  expect((await finish(there, { ...codes, mfaToken: third.mfaToken })).status).toBe(401); // spent

  expect((await there.signIn(ada.authenticator, { counter: 2 })).status).toBe(401); // a copy
  expect((await there.signIn(ada.authenticator)).body.user.id).toBe(ada.id);
});

describe('users import --from', () => {
  const NOT_CARRIED = '\twithout a second factor: ';

  it('keycloak brings authenticator apps and passkeys', async () => {
    const raw = 'LYt9dNhKGmHSAX2TDAj3'; // as Keycloak makes them: the text is the secret
    const authenticator = createAuthenticator({ origin: ORIGIN });
    const key = createAuthenticator({ origin: ORIGIN });
    const otp = (data: object, value: string) => ({
      type: 'otp',
      userLabel: 'my phone',
      createdDate: 1_700_000_000_000,
      secretData: JSON.stringify({ value }),
      credentialData: JSON.stringify({ subType: 'totp', digits: 6, counter: 0, period: 30, algorithm: 'HmacSHA1', ...data }), // prettier-ignore
    });
    const webauthn = (type: string, device: typeof key, userId: string) => {
      const { publicKey: cose } = device.known(userId);
      const credentialData = {
        aaguid: '00000000-0000-0000-0000-000000000000',
        credentialId: Buffer.from(device.id, 'base64url').toString('base64'),
        counter: 0,
        credentialPublicKey: cose,
        attestationStatementFormat: 'none',
        transports: ['internal'],
      };
      return { type, userLabel: 'laptop\u0007', secretData: '{}', credentialData: JSON.stringify(credentialData) }; // prettier-ignore
    };
    const of = (n: number, username: string, ...credentials: object[]) => ({
      id: id(n),
      username,
      enabled: true,
      credentials: [
        { type: 'password', secretData: JSON.stringify({ value: bcrypt }), credentialData: '{"algorithm":"bcrypt"}' }, // prettier-ignore
        ...credentials,
      ],
    });
    const realm = {
      realm: 'demo',
      users: [
        of(1, 'raw', otp({}, raw)),
        of(2, 'encoded', otp({ secretEncoding: 'BASE32' }, SECRET)),
        of(3, 'older', { type: 'totp', hashedSaltedValue: raw, digits: 6, period: 30, algorithm: 'HmacSHA1' }), // prettier-ignore
        of(4, 'keys', webauthn('webauthn-passwordless', authenticator, id(4)), webauthn('webauthn', key, id(4))), // prettier-ignore
        of(5, 'others', otp({ subType: 'hotp' }, raw), otp({ digits: 8 }, raw), otp({ algorithm: 'HmacSHA512' }, raw), { type: 'recovery-authn-codes' }, { type: 'magic' }), // prettier-ignore
        of(6, 'broken', otp({ secretEncoding: 'BASE32' }, '1canary1')),
      ],
    };
    const { lines: report, databaseUrl } = await brought(JSON.stringify(realm), ' --from keycloak');
    expect(report).toEqual([
      ...[1, 2, 3, 4].map((n) => `${n}\timported\tuser`),
      `5\timported\tuser${NOT_CARRIED}HOTP, TOTP of 8 digits, TOTP by SHA512, recovery codes, a kind that is not known here`,
      '6\trefused\tits factors: A secret is base 32, with 16 characters or more',
      '5 imported, 0 unchanged, 1 refused.',
      'Imported without a second factor that they had: 1.',
    ]);
    const there = await startPasskeys({ DATABASE_URL: databaseUrl, APP_SECRET });
    const now = there.ctx.clock.now();
    // The secret of `raw` in base 32, by Python's base64.b32encode.
    const encoded = 'JRMXIOLEJZUEWR3NJBJUCWBSKRCEC2RT';
    for (const [name, secret] of [
      ['raw', encoded],
      ['encoded', SECRET],
      ['older', encoded],
    ] as const) {
      // prettier-ignore
      const { mfaToken, factors } = await begin(there, name);
      expect(factors).toEqual(['totp']);
      const done = await finish(there, { mfaToken, code: totpCode(secret, now, 1) });
      expect([name, done.status], done.text).toEqual([name, 200]);
    }
    expect((await there.signIn(authenticator)).body.user.id).toBe(id(4));
    expect((await there.signIn(authenticator, { be: false, bs: false })).status).toBe(401); // not as at its first use
    const { mfaToken, factors } = await begin(there, 'keys');
    expect(factors).toEqual(['passkey']);
    const { body } = await there.ask('POST', '/auth/mfa/options', { body: { mfaToken } });
    expect(body.publicKey.allowCredentials).toHaveLength(2);
    const credential = key.sign(body.publicKey, { userHandle: null });
    expect((await finish(there, { mfaToken, credential })).status).toBe(200);
    expect((await there.logIn('others')).status).toBe(200);
  });

  it('auth0 brings authenticator apps, and says who had something else', async () => {
    const job = lines(
      { user_id: 'auth0|1', username: 'ada', passwordHash: bcrypt, mfa_factors: [{ totp: { secret: SECRET } }, { phone: { value: '+15551234' } }] }, // prettier-ignore
      { user_id: 'auth0|2', username: 'bob', passwordHash: bcrypt, mfa_factors: [{ email: { value: 'canary@example.com' } }] }, // prettier-ignore
      { user_id: 'auth0|3', username: 'cyd', passwordHash: bcrypt, multifactor: ['guardian'] },
      { user_id: 'auth0|4', username: 'dan', passwordHash: bcrypt, mfa_factors: [{ totp: { secret: '' } }], multifactor: [] }, // prettier-ignore
      { user_id: 'auth0|5', username: 'eve', passwordHash: bcrypt, mfa_factors: 'canary' },
    );
    const { lines: report, databaseUrl } = await brought(job, ' --from auth0');
    expect(report.slice(0, 5)).toEqual([
      `1\timported\tuser${NOT_CARRIED}codes by phone`,
      `2\timported\tuser${NOT_CARRIED}codes by mail`,
      `3\timported\tuser${NOT_CARRIED}a kind that is not known here`,
      `4\timported\tuser${NOT_CARRIED}TOTP: its secret is not in the file`,
      '5\timported\tuser',
    ]);
    const there = await startPasskeys({ DATABASE_URL: databaseUrl, APP_SECRET });
    const { mfaToken } = await begin(there, 'ada');
    const code = totpCode(SECRET, there.ctx.clock.now(), 1);
    expect((await finish(there, { mfaToken, code })).status).toBe(200);
  });

  it('better-auth and cognito say who had one: the secret is not in their files', async () => {
    const cognito = await brought(
      'cognito:username,email,email_verified,cognito:mfa_enabled\nada,ada@example.com,true,true',
      ' --from cognito',
    );
    expect(cognito.lines[0]).toContain('without a second factor: a kind that is not known here');
    const accounts = `${process.cwd()}/accounts.json`;
    writeFileSync(accounts, JSON.stringify([{ userId: 'x', providerId: 'credential' }]));
    const better = await brought(
      lines({ id: 'x', email: 'ada@example.com', twoFactorEnabled: true }),
      ` --from better-auth --with ${accounts}`,
    );
    expect(better.lines[0]).toContain('without a second factor: TOTP: its secret is not in the file'); // prettier-ignore
  });
});

it('otpauth URIs are taken as they are', async () => {
  const uri = `otpauth://totp/ACME:ada@example.com?secret=${SECRET.toLowerCase()}%3D%3D&issuer=ACME&algorithm=SHA1&digits=6&period=30`;
  const { lines: report, databaseUrl } = await brought(
    lines({ username: 'ada', passwordHash: bcrypt, factors: [{ uri, name: 'my phone' }] }),
  );
  expect(report[0]).toBe('1\timported\tuser');
  const there = await startPasskeys({ DATABASE_URL: databaseUrl, APP_SECRET });
  const { mfaToken } = await begin(there, 'ada');
  const code = totpCode(SECRET, there.ctx.clock.now(), 1);
  expect((await finish(there, { mfaToken, code })).status).toBe(200);
});
