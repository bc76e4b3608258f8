import { describe, expect, it } from 'vitest';
import { version } from '#src/version';
import { password, startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { eventually } from '#test/support/eventually';
import { startLimited, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { redisIsHere, redisOn } from '#test/support/redis';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
const { ask, env, User, Identity } = await startApp({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'required',
  API_KEYS: 'on',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far'), 'near.mjs': providerFile('near') }),
});

const { does, json, refuses } = speaking(commandLine(env));

let made = 0;
/** A user whose address is verified, and who may sign in. */
async function member(more = '') {
  const username = `member${++made}`;
  const line = `user create ${username} --email ${username}@example.com --verified${more}`;
  const user = await json(line, password);
  return { ...user, logIn: (secret = password) => logIn(username, secret) };
}
const logIn = (identifier: string, secret = password) =>
  ask('POST', '/auth/login', { body: { identifier, password: secret } });
const unused = 'a password of another kind';

describe('user create', () => {
  it('makes the first administrator, who signs in at once where addresses must be confirmed', async () => {
    const line = 'user create root --email root@example.com --verified --role admin';
    expect(await does(line, password)).toMatch(
      /^root is made, with the id [\da-f-]{36}, and the roles admin, user\.\n$/,
    );
    const { status, body } = await logIn('root');
    expect(status).toBe(200);
    expect(body.user).toMatchObject({ emailVerified: true, roles: ['admin', 'user'] });
    const { accessToken: token } = body;
    expect((await ask('GET', '/admin/users', { token })).status).toBe(200);
  });

  it('sends the mail that confirms the address, without --verified', async () => {
    const user = await json('user create grace@example.com', password);
    expect(user).toMatchObject({ username: null, email: 'grace@example.com', roles: ['user'] });
    expect((await logIn('grace@example.com')).body.code).toBe('email_unverified');
    const { code } = await mailbox.next('grace@example.com');
    const confirmed = await ask('POST', '/auth/email/verify', {
      body: { email: 'grace@example.com', code },
    });
    expect(confirmed.status).toBe(204);
    expect((await logIn('grace@example.com')).status).toBe(200);
  });

  it('makes nobody when something is wrong', async () => {
    const before = await User.count();
    await refuses(
      'user create olga --verified',
      /^Only an e-mail address can be verified/,
      password,
    );
    await refuses('user create olga --role nothing', /^There is no such role\./, password);
    await refuses('user create a@b.example --email c@d.example', /^Give one e-mail/, password);
    expect(await User.count()).toBe(before);
  });
});

describe('user list', () => {
  it('goes page by page, and finds by part of a name and by role', async () => {
    const names = [];
    for (const _ of [1, 2, 3]) names.push((await member()).username);
    const seen = [];
    let cursor = '';
    do {
      const page = await json(`user list --search member --limit 2${cursor}`);
      expect(page.data.length).toBeLessThanOrEqual(2);
      seen.push(...page.data);
      cursor = page.nextCursor && ` --cursor ${page.nextCursor}`;
    } while (cursor);
    expect(seen.map(({ username }) => username)).toEqual(names);
    expect(Object.keys(seen[0])).toEqual([
      'id',
      'username',
      'email',
      'emailVerified',
      'name',
      'roles',
      'locale',
      'disabled',
      'createdAt',
    ]);
    const { stdout, stderr } = await commandLine(env)('user list --limit 1');
    expect(stdout.split('\n')).toHaveLength(3);
    expect(stderr).toMatch(/^There are more: --cursor [\w-]{40,}\n$/);
    const { data } = await json('user list --role admin');
    expect(data.every(({ roles }: { roles: string[] }) => roles.includes('admin'))).toBe(true);
    for (const wrong of ['--limit 0', '--limit 101', '--limit x', '--cursor !'])
      await refuses(`user list ${wrong}`, /^error: option '--(limit|cursor) <\w+>' argument/);
  });
});

describe('a user', () => {
  it('is shown with how they sign in, and without a secret', async () => {
    const { id, username, logIn } = await member(' --name Ada');
    await logIn();
    const shown = await json(`user show ${username}`);
    expect(shown).toMatchObject({ id, username, hasPassword: true, identities: [] });
    expect(shown.sessions).toHaveLength(1);
    expect(JSON.stringify(shown)).not.toContain('$2b$');
    const text = await does(`user show ${username.toUpperCase()}`);
    expect(text).toMatch(
      new RegExp(`^Id +${id}\nUsername +${username}\nE-mail +.* \\(verified\\)`),
    );
  });

  it('gets a new password: sessions, API keys and links end, and the user is told', async () => {
    const { username, logIn } = await member();
    const { accessToken: token } = (await logIn()).body;
    const { body } = await ask('POST', '/me/api-keys', { token, body: { name: 'robot' } });
    expect(await does(`user password ${username}`, unused)).toMatch(
      /^member\d+ has a new password/,
    );
    expect((await ask('GET', '/me', { token })).body.code).toBe('session_ended');
    expect((await ask('GET', '/me', { headers: { 'x-api-key': body.key } })).status).toBe(401);
    expect((await logIn()).status).toBe(401);
    expect((await logIn(unused)).status).toBe(200);
    expect((await mailbox.next(`${username}@example.com`)).subject).toMatch(/password/i);
    await refuses(`user password ${username}`, /^Use at least/, 'short');
  });

  it('is verified by hand', async () => {
    await json('user create hanna --email hanna@example.com', password);
    expect((await logIn('hanna')).body.code).toBe('email_unverified');
    expect(await does('user verify hanna')).toBe('hanna@example.com is verified.\n');
    expect((await logIn('hanna')).status).toBe(200);
    expect(await json('user verify hanna')).toMatchObject({ changed: false });
    await does('user create nomail', password);
    await refuses('user verify nomail', /^nomail has no e-mail address\.\n$/);
  });

  it('loses a provider, but not the last way in', async () => {
    const { body } = await ask('POST', '/auth/far', { body: { subject: 'far1', username: 'una' } });
    const userId = body.user.id;
    await refuses('user unlink una far', /\.\n$/);
    await Identity.create({ id: body.session.id, userId, provider: 'near', subject: 'near1' });
    await refuses('user unlink una google', /^una is not linked to google\.\n$/);
    expect(await does('user unlink una far')).toBe('una is no longer linked to far.\n');
    expect(await Identity.count({ where: { userId } })).toBe(1);
    const { identities } = await json('user show una');
    await refuses(`user unlink una ${identities[0].id}`, /\.\n$/);
  });

  it('is deleted after a confirmation only', async () => {
    const { id, username, logIn } = await member();
    await refuses(`user delete ${username}`, /cannot be undone: confirm it with --yes/);
    expect((await logIn()).status).toBe(200);
    expect(await json(`user delete ${username} --yes`)).toEqual({ userId: id, deleted: true });
    expect((await logIn()).status).toBe(401);
    await refuses('user delete root --yes', /admin/i);
  });
});

describe('session', () => {
  it('list and end show and end sessions, one, those of a user, or all', async () => {
    const { username, logIn } = await member();
    const tokens = [];
    for (const _ of [1, 2, 3]) tokens.push((await logIn()).body.accessToken as string);
    const asks = async (token: string) => (await ask('GET', '/me', { token })).status;
    const { data } = await json(`session list ${username}`);
    expect(data).toHaveLength(3);
    expect(data[0]).toMatchObject({ strategy: 'local', device: {} });
    expect(await does(`session end ${data[0].id}`)).toBe('The session has ended.\n');
    expect(await Promise.all(tokens.map(asks))).toEqual([200, 200, 401]);
    await refuses(`session end ${data[0].id}`, /^There is no such session/);
    expect(await json(`session end --user ${username}`)).toMatchObject({ ended: 2 });
    const other = (await (await member()).logIn()).body.accessToken;
    await refuses('session end --everybody', /cannot be undone/);
    await refuses('session end', /^Give the id of a session, --user or --everybody/);
    await refuses(`session end x --user ${username}`, /^Give the id/);
    expect((await json('session end --everybody --yes')).ended).toBeGreaterThan(0);
    expect(await asks(other)).toBe(401);
  });
});

describe('api-key', () => {
  it('list and revoke show and delete keys', async () => {
    const { username, logIn } = await member();
    const { accessToken: token } = (await logIn()).body;
    const { body } = await ask('POST', '/me/api-keys', { token, body: { name: 'robot' } });
    const asks = () => ask('GET', '/me', { headers: { 'x-api-key': body.key } });
    expect((await asks()).status).toBe(200);
    const { data } = await json(`api-key list ${username}`);
    expect(data).toMatchObject([{ id: body.id, name: 'robot', last4: body.key.slice(-4) }]);
    expect(await does(`api-key list ${username}`)).not.toContain(body.key);
    expect(await does(`api-key revoke ${body.id}`)).toBe('The API key robot is revoked.\n');
    expect((await asks()).status).toBe(401);
    await refuses(`api-key revoke ${body.id}`, /^There is no API key/);
  });
});

describe('user unlock', () => {
  it('lets a user in at once who was locked out, from known networks and from others', async () => {
    const app = await startLimited();
    const { does } = speaking(commandLine(app.env));
    const { username, ip } = await app.member();
    for (const from of [ip, app.unused()]) {
      await times(12, () => app.logIn(from, username));
      expect((await app.logIn(from, username, password)).status).toBe(401);
    }
    await does(`user unlock ${username}`);
    for (const from of [ip, app.unused()])
      expect((await app.logIn(from, username, password)).status).toBe(200);
  });
});

describe.runIf(redisIsHere)('user show and user unlock, where Redis counts', () => {
  it('say that a user is kept out, and let them in at once', async () => {
    const redis = redisOn(await freePort());
    await redis.start();
    const app = await startLimited({ REDIS_URL: redis.url });
    const inDatabase = () => app.Limit.count();
    await eventually(async () => {
      const before = await inDatabase();
      await app.member();
      expect(await inDatabase()).toBe(before); // Redis counts from now on
    });
    const [{ username }, from] = [await app.member(), app.unused()];
    const before = await inDatabase();
    await times(12, () => app.logIn(from, username));
    expect(await inDatabase()).toBe(before);
    expect((await app.logIn(from, username, password)).status).toBe(401);
    const here = speaking(commandLine(app.env));
    const [shown] = (await here.json(`user show ${username}`)).loginFailures;
    expect(shown).toMatchObject({ of: 'sign_in', network: null });
    expect(Date.parse(shown.lockedUntil)).toBeGreaterThan(Date.now());
    await here.does(`user unlock ${username}`);
    expect((await here.json(`user show ${username}`)).loginFailures).toEqual([]);
    expect((await app.logIn(from, username, password)).status).toBe(200);
  });
});

it('answers in JSON whatever it is asked, and says which version it is', async () => {
  expect(await json('role create press')).toEqual({ role: 'press', created: true });
  expect((await json('role list')).data).toContainEqual({
    name: 'press',
    description: '',
    permissions: [],
    createdAt: expect.any(String),
  });
  const { id } = await member();
  expect(await json(`role grant ${id} press`)).toEqual({
    userId: id,
    role: 'press',
    changed: true,
  });
  expect(await json(`user disable ${id}`)).toEqual({ userId: id, disabled: true });
  expect((await json('keys list')).data[0]).toMatchObject({ state: 'active', goneFrom: null });
  expect(await json('migrate')).toEqual({ migrated: [] });
  expect(await does('--version')).toBe(`${version}\n`);
});

it('imports and exports users, and says so in JSON, one object a line', async () => {
  const line = JSON.stringify({ username: 'imported', email: 'imported@example.com' });
  const { stdout } = await commandLine(env)('users import - --dry-run --json', line);
  const [one, sum] = stdout
    .trimEnd()
    .split('\n')
    .map((each) => JSON.parse(each) as object);
  expect(one).toMatchObject({ number: 1, outcome: 'imported' });
  expect(sum).toMatchObject({ imported: 1, unchanged: 0, refused: 0, dryRun: true });
});
