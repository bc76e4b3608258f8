import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { password } from '#test/support/app';
import { emptyDatabase } from '#test/support/database';
import { rowsOf, settingsFor, startProcess } from '#test/support/process';
import { importerInto } from '#test/support/tutorials/importing';
import { hashed } from '#test/support/tutorials/old-database';

const bcrypt = hashed(password);
const id = (n: number) => `0197a000-0000-7000-8000-${String(n).padStart(12, '0')}`;
const file = (contents: unknown, ending = 'json') => {
  const name = `${process.cwd()}/${randomBytes(6).toString('hex')}.${ending}`;
  writeFileSync(name, typeof contents === 'string' ? contents : JSON.stringify(contents, null, 2));
  return name;
};
const lines = (...each: unknown[]) => each.map((line) => JSON.stringify(line)).join('\n');

/** Imports, and answers the report and what the database has then. */
async function brought(options: string, env: Record<string, string> = {}) {
  const databaseUrl = await emptyDatabase();
  const { run } = importerInto(databaseUrl, env);
  const { lines: report, stderr, code } = await run(`users import ${options}`);
  const users = await rowsOf(databaseUrl, 'SELECT * FROM users ORDER BY email, username');
  const identities = await rowsOf(
    databaseUrl,
    'SELECT * FROM identities ORDER BY provider, subject',
  );
  return { report, stderr, code, users, identities, databaseUrl, run };
}
const NO_PASSWORD = 'no password: has to choose one by "forgot password"';

describe('users import --from', () => {
  it('reads an export job of Auth0 together with the hashes from its support', async () => {
    const job = lines(
      {
        user_id: 'auth0|60425dc43519d90068f82973',
        email: 'ada@example.com',
        email_verified: true,
        name: 'ada@example.com',
        created_at: '2021-03-05T16:35:16.775Z',
        identities: [
          { provider: 'auth0', user_id: '60425dc43519d90068f82973', isSocial: false },
          { provider: 'google-oauth2', user_id: '103547991597142817347', isSocial: true },
        ],
      },
      {
        user_id: 'github|583231',
        email: 'octo@example.com',
        name: 'Octo',
        nickname: 'octo',
        identities: [{ provider: 'github', user_id: 583231 }],
      },
      { user_id: 'auth0|1', email: 'blocked@example.com', blocked: true },
    );
    const support = lines({
      _id: { $oid: '60425dc43519d90068f82973' },
      email_verified: false,
      email: 'ada@example.com',
      passwordHash: bcrypt,
      password_set_date: { $date: '2021-03-05T16:35:16.775Z' },
      tenant: 'dev-rwsbs6ym',
      connection: 'Username-Password-Authentication',
      _tmp_is_unique: true,
    });
    const found = await brought(`${file(job, 'json')} --from auth0 --with ${file(support)}`);
    expect(found.report).toEqual([
      '1\timported\tuser',
      '2\timported\tuser\tno password: signs in with a provider',
      '3\timported\tuser\tdisabled',
      '3 imported, 0 unchanged, 0 refused.',
    ]);
    const [ada, , octo] = found.users;
    expect(ada).toMatchObject({ email: 'ada@example.com', name: null, password_hash: bcrypt });
    expect(ada!['email_verified_at']).not.toBeNull();
    expect(octo).toMatchObject({ name: 'Octo', username: null });
    expect(found.identities).toMatchObject([
      { provider: 'github', subject: '583231', user_id: octo!['id'] },
      { provider: 'google', subject: '103547991597142817347', user_id: ada!['id'] },
    ]);
    const again = await found.run(`users import ${file(support)} --from auth0`);
    expect(again.lines).toEqual(['1\tunchanged', '0 imported, 1 unchanged, 0 refused.']);

    const server = await startProcess(settingsFor(found.databaseUrl));
    const body = { identifier: 'ada@example.com', password };
    expect((await server.ask('POST', '/auth/login', { body })).status).toBe(200);
    await server.kill('SIGTERM');
  });

  it('reads auth:export of Firebase with the parameters that its console shows', async () => {
    // The key, salt and hash are those of the README of github.com/firebase/scrypt.
    const parameters = `hash_config {
  algorithm: SCRYPT,
  base64_signer_key: jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==,
  base64_salt_separator: Bw==,
  rounds: 8,
  mem_cost: 14,
}`;
    const hash =
      'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==';
    const users = {
      users: [
        {
          localId: 'rPXEZ7ZyvPNqTq1SVvXzw8T4zQ32',
          email: 'ada@example.com',
          emailVerified: true,
          passwordHash: hash.replaceAll('+', '-').replaceAll('/', '_'),
          salt: '42xEC+ixf3L2lw==',
          displayName: 'Ada',
          lastSignedInAt: '1611742800000',
          createdAt: '1611742800000',
          disabled: false,
          providerUserInfo: [
            { providerId: 'google.com', rawId: '1035', email: 'ada@example.com' },
            { providerId: 'password', rawId: 'ada@example.com' },
          ],
        },
        {
          localId: 'x',
          createdAt: '1611742800000',
          phoneNumber: '+15555550100',
          providerUserInfo: [],
        },
      ],
    };
    const options = `--from firebase --with ${file(parameters, 'txt')}`;
    const found = await brought(`${file(users)} ${options}`);
    expect(found.report).toEqual([
      '1\timported\tuser',
      '2\trefused\tit has neither a username nor an e-mail address',
      '1 imported, 0 unchanged, 1 refused.',
    ]);
    expect(String(new Date(found.users[0]!['created_at'] as string).getUTCFullYear())).toBe('2021');
    expect(found.identities).toMatchObject([{ provider: 'google', subject: '1035' }]);
    const server = await startProcess(settingsFor(found.databaseUrl));
    const body = { identifier: 'ada@example.com', password: 'user1password' };
    expect((await server.ask('POST', '/auth/login', { body })).status).toBe(200);
    await server.kill('SIGTERM');

    const csv = `x1,bob@example.com,true,${hash},42xEC+ixf3L2lw==,"Bob, B.",,,,,,,,,,,,,,583231,,,,1611742800000,1611742800000,\n`;
    const rows = await brought(`${file(csv, 'csv')} ${options}`);
    expect(rows.report[0]).toBe('1\timported\tuser');
    expect(rows.users).toMatchObject([{ email: 'bob@example.com', name: 'Bob, B.' }]);
    expect(rows.identities).toMatchObject([{ provider: 'github', subject: '583231' }]);

    expect((await brought(`${file(users)} --from firebase`)).report[0]).toMatch(
      /^1\trefused\tit has a password hash: give the password hash parameters/,
    );
    const wrong = await brought(`${file(users)} --from firebase --with ${file('{}')}`);
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringMatching(/has no base64_signer_key/),
    ]);
  });

  it('reads a realm of Keycloak, of old versions and of new ones', async () => {
    const secret = {
      value:
        'AhaeZ02AwPxykuhhDI8XvhQN8GKvmqM+qF6qvs/98I3oPrOafEIqFGOq0+8aVYIT/+xVcPChXj+A8gpxtbBrFQ==',
      salt: 'AAECAwQFBgcICQoLDA0ODw==',
    };
    const realm = {
      id: 'demo',
      realm: 'demo',
      users: [
        {
          id: id(1),
          createdTimestamp: 1525095250000,
          username: 'ada',
          enabled: true,
          totp: false,
          emailVerified: true,
          firstName: 'Ada',
          lastName: 'Lovelace',
          email: 'ada@example.com',
          credentials: [
            {
              id: 'x',
              type: 'password',
              userLabel: 'My password',
              secretData: JSON.stringify({ ...secret, additionalParameters: {} }),
              credentialData: JSON.stringify({
                hashIterations: 1000,
                algorithm: 'pbkdf2-sha256',
                additionalParameters: {},
              }),
            },
          ],
          realmRoles: ['default-roles-demo', 'offline_access', 'Editor'],
          federatedIdentities: [{ identityProvider: 'github', userId: '583231', userName: 'ada' }],
        },
        {
          id: id(2),
          username: 'bob@example.com',
          email: 'bob@example.com',
          enabled: false,
          credentials: [
            {
              type: 'password',
              hashedSaltedValue: secret.value,
              salt: secret.salt,
              hashIterations: 1000,
              algorithm: 'pbkdf2-sha256',
            },
          ],
        },
        {
          id: id(3),
          username: 'argon',
          credentials: [
            {
              type: 'password',
              secretData: JSON.stringify({
                value: '1dayP7IvkGrmCTUcFBmln7HZGDnbQ4kB2SCFBGFcCJo=',
                salt: Buffer.from('somesalt').toString('base64'),
              }),
              credentialData: JSON.stringify({
                hashIterations: 2,
                algorithm: 'argon2',
                additionalParameters: {
                  hashLength: ['32'],
                  memory: ['256'],
                  type: ['id'],
                  version: ['1.3'],
                  parallelism: ['2'],
                },
              }),
            },
          ],
        },
        { id: id(4), username: 'service-account-x', serviceAccountClientId: 'x' },
      ],
    };
    const found = await brought(`${file(realm)} --from keycloak`);
    expect(found.report).toEqual([
      '1\timported\teditor',
      '2\timported\tuser\tdisabled',
      '3\timported\tuser',
      '4\trefused\tit is a service account',
      '3 imported, 0 unchanged, 1 refused.',
    ]);
    expect(found.users.find((user) => user['id'] === id(2))).toMatchObject({ username: null });
    expect(found.identities).toMatchObject([{ provider: 'github', subject: '583231' }]);
    const server = await startProcess(settingsFor(found.databaseUrl));
    for (const identifier of ['ada', 'argon']) {
      const body = { identifier, password };
      expect((await server.ask('POST', '/auth/login', { body })).status, identifier).toBe(200);
    }
    await server.kill('SIGTERM');
    const several = await brought(
      `${file([realm, { realm: 'empty', users: [] }])} --from keycloak`,
    );
    expect(several.report.at(-1)).toBe('3 imported, 0 unchanged, 1 refused.');
  });

  it('reads the CSV of Cognito, and what list-users answers', async () => {
    const csv = `name,given_name,family_name,preferred_username,email,email_verified,phone_number,cognito:mfa_enabled,cognito:username
,Ada,Lovelace,,ada@example.com,TRUE,,FALSE,ada
"Bob ""B"" Builder",,,bobby,bob@example.com,false,,false,${id(2)}
`;
    const found = await brought(`${file(csv, 'csv')} --from cognito`);
    expect(found.report.slice(0, 2)).toEqual([
      `1\timported\tuser\t${NO_PASSWORD}`,
      `2\timported\tuser\t${NO_PASSWORD}`,
    ]);
    expect(found.users).toMatchObject([
      { username: 'ada', name: 'Ada Lovelace' },
      { id: id(2), username: 'bobby', name: 'Bob "B" Builder', email_verified_at: null },
    ]);
    const answer = {
      Users: [
        {
          Username: 'ada@example.com',
          Attributes: [
            { Name: 'sub', Value: id(1) },
            { Name: 'email', Value: 'ada@example.com' },
            { Name: 'email_verified', Value: 'true' },
          ],
          UserCreateDate: '2023-01-02T03:04:05.678000+00:00',
          Enabled: false,
          UserStatus: 'CONFIRMED',
        },
        { Username: 'Google_1', Attributes: [], Enabled: true, UserStatus: 'EXTERNAL_PROVIDER' },
      ],
    };
    const listed = await brought(`${file(answer)} --from cognito`);
    expect(listed.report).toEqual([
      '1\timported\tuser\tdisabled',
      '2\trefused\tit signs in with an external provider only',
      '1 imported, 0 unchanged, 1 refused.',
    ]);
    expect(listed.users).toMatchObject([{ id: id(1), username: null, email: 'ada@example.com' }]);
  });

  it('reads the tables of better-auth', async () => {
    const hash =
      '1d74ad1aaca631b00881867c1ca117b6:f5b4db0408506895c6b230a5b370f22f6effb3f77d652462609475e5ca2f48177ddf8940f72636b8e8721156102c5d004d27bdbbaa27e2f76dd8a100abf50217';
    const users = `id,name,email,emailVerified,image,createdAt,updatedAt,role,banned
k3Jd9,Ada,ada@example.com,t,,2024-05-06 07:08:09.123+00,2024-05-06 07:08:09.123+00,admin,f
w8Qz1,Octo,octo@example.com,f,,2024-05-06 07:08:09.123+00,2024-05-06 07:08:09.123+00,,t
`;
    const accounts = lines(
      { id: 'a', accountId: 'k3Jd9', providerId: 'credential', userId: 'k3Jd9', password: hash },
      { id: 'b', account_id: '583231', provider_id: 'github', user_id: 'w8Qz1', password: null },
    );
    const options = `${file(users, 'csv')} --from better-auth`;
    const found = await brought(`${options} --with ${file(accounts)}`);
    expect(found.report).toEqual([
      '1\timported\tadmin,user',
      '2\timported\tuser\tdisabled',
      '2 imported, 0 unchanged, 0 refused.',
      'Administrators among the imported: 1.',
    ]);
    expect(found.identities).toMatchObject([{ provider: 'github', subject: '583231' }]);
    const server = await startProcess(settingsFor(found.databaseUrl));
    const body = { identifier: 'ada@example.com', password };
    expect((await server.ask('POST', '/auth/login', { body })).status).toBe(200);
    await server.kill('SIGTERM');
    expect((await brought(options)).stderr).toMatch(/^Passwords stand in the table account/);
    const wrong = await brought(`${options} --with ${file(users, 'csv')}`);
    expect(wrong.stderr).toMatch(/is not the table account/);
  });

  it('reads the tables of Supabase', async () => {
    const users = `instance_id,id,aud,role,email,encrypted_password,email_confirmed_at,raw_app_meta_data,raw_user_meta_data,created_at,banned_until,deleted_at,is_anonymous
0,${id(1)},authenticated,authenticated,ada@example.com,${bcrypt},2023-01-02 03:04:05.678+00,"{""provider"": ""email""}","{""full_name"": ""Ada Lovelace""}",2023-01-02 03:04:05.678+00,,,false
0,${id(2)},authenticated,authenticated,octo@example.com,,2023-01-02 03:04:05+00,"{}","{}",2023-01-02 03:04:05+00,2999-01-01 00:00:00+00,,f
0,${id(3)},authenticated,authenticated,gone@example.com,,,"{}","{}",2023-01-02 03:04:05+00,,2024-01-01 00:00:00+00,f
0,${id(4)},authenticated,authenticated,,,,"{}","{}",2023-01-02 03:04:05+00,,,t
`;
    const identities = [
      {
        provider: 'github',
        provider_id: '583231',
        user_id: id(2),
        identity_data: { sub: '583231' },
      },
      { provider: 'email', provider_id: id(1), user_id: id(1) },
    ];
    const found = await brought(`${file(users, 'csv')} --from supabase --with ${file(identities)}`);
    expect(found.report).toEqual([
      '1\timported\tuser',
      '2\timported\tuser\tdisabled',
      '3\trefused\tit was deleted',
      '4\trefused\tit is anonymous',
      '2 imported, 0 unchanged, 2 refused.',
    ]);
    expect(found.users[0]).toMatchObject({
      id: id(1),
      name: 'Ada Lovelace',
      password_hash: bcrypt,
    });
    expect(found.identities).toMatchObject([{ provider: 'github', user_id: id(2) }]);
  });

  it('names the systems that it knows', async () => {
    const { run } = importerInto(await emptyDatabase());
    const { code, stderr } = await run('users import x.json --from okta');
    expect(code).toBe(1);
    expect(stderr).toMatch(/auth0, better-auth, cognito, firebase, keycloak, supabase/);
    const without = await run('users import x.json --with y.json');
    expect(without.stderr).toMatch(/^--with is for systems/);
  });
});

describe('users import', () => {
  const users = [
    { email: 'ada@example.com', passwordHash: bcrypt },
    { username: 'bob', passwordHash: bcrypt },
  ];
  const REPORT = ['1\timported\tuser', '2\timported\tuser', '2 imported, 0 unchanged, 0 refused.'];

  it.each([
    ['an array', JSON.stringify(users)],
    ['an indented array', JSON.stringify(users, null, 2)],
    ['an array after a mark of the byte order', `\ufeff${JSON.stringify(users)}`],
    ['indented objects', users.map((user) => JSON.stringify(user, null, 2)).join('\n')],
    ['indented objects of Windows', JSON.stringify(users, null, 2).replaceAll('\n', '\r\n')],
    ['a long array on one line', JSON.stringify([...users, ...Array(2000).fill(users[1])])],
  ])('reads %s', async (_what, contents) => {
    const { report } = await brought(file(contents));
    expect(report.slice(0, 2)).toEqual(REPORT.slice(0, 2));
    expect(report.at(-1)).toMatch(/^2 imported, (0|2000) unchanged, 0 refused\.$/);
  });

  it.each([
    ['an array that is cut', JSON.stringify(users).slice(0, -4)],
    ['what is no JSON behind the first user', `[${JSON.stringify(users[0])}, nonsense]`],
    ['what is no UTF-8', Buffer.from('[{"username":"a\xffb"}]', 'latin1')],
  ])('says where it stops to understand %s', async (_what, contents) => {
    const name = file('');
    writeFileSync(name, contents);
    const { code, stderr, users: rows } = await brought(name);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^From user [12] on, the file is not JSON in UTF-8\. Is it whole\?\n$/);
    expect(rows.length).toBeLessThan(2);
  });

  it('keeps provider accounts through an export, and gives nobody the account of somebody else', async () => {
    const github = { provider: 'github', subject: '1' };
    const contents = lines(
      { username: 'ada', identities: [github, { provider: 'saml', subject: 'a b' }] },
      { username: 'bob', identities: [github] },
      { username: 'cyd', identities: [{ provider: 'Nobody!', subject: '1' }] },
      { username: 'ada', identities: [github] },
    );
    const found = await brought(file(contents));
    expect(found.report).toEqual([
      '1\timported\tuser\tno password: signs in with a provider',
      '2\trefused\tsomebody else here has this provider account',
      '3\trefused\tits identities: A provider is the name of a strategy',
      '4\tunchanged',
      '1 imported, 1 unchanged, 2 refused.',
    ]);
    const [{ lines: exported }, other] = [await found.run('users export'), await emptyDatabase()];
    await importerInto(other).run('users import -', exported.join('\n'));
    expect(
      await rowsOf(other, 'SELECT provider, subject FROM identities ORDER BY provider'),
    ).toEqual([github, { provider: 'saml', subject: 'a b' }]);
    const again = await found.run(
      'users import -',
      lines({ username: 'dan', identities: [github] }),
    );
    expect(again.lines[0]).toBe('1\trefused\tsomebody else here has this provider account');
  });
});
