import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { rawRequest } from '#test/support/raw-socket';
import { statementsOf } from '#test/support/statements';

const { ask, auth, register, url, Session, User } = await startApp({ BASIC_AUTH: 'on' });
const basic = (pair: string | Buffer) => `Basic ${Buffer.from(pair).toString('base64')}`;
const by = (authorization: string, path = '/me') =>
  ask('GET', path, { headers: { authorization } });

describe('username and password with every request', () => {
  it('open what their owner may, and start no session', async () => {
    const ada = await register({ email: 'ada@example.com' }, 'admin');
    const grace = await register();
    const before = await Session.count();
    expect((await by(basic(`ada@example.com:${password}`))).body).toMatchObject({
      id: ada.id,
      roles: ['admin', 'user'],
    });
    expect((await by(basic(`${grace.username.toUpperCase()}:${password}`))).body.id).toBe(grace.id);
    expect((await by(basic(`ada@example.com:${password}`), '/admin/users')).status).toBe(200);
    expect((await by(basic(`${grace.username}:${password}`), '/admin/users')).status).toBe(403);
    expect(await Session.count()).toBe(before);
  });

  it('work as curl sends them', async () => {
    const ada = await register();
    const { stdout } = await promisify(execFile)('curl', [
      '-s',
      '-u',
      `${ada.username}:${password}`,
      `${url}/me`,
    ]);
    expect(JSON.parse(stdout)).toMatchObject({ id: ada.id });
    const refused = await promisify(execFile)('curl', [
      '-s',
      '-u',
      `${ada.username}:wrong`,
      `${url}/me`,
    ]);
    expect(JSON.parse(refused.stdout)).toMatchObject({ status: 401, code: 'invalid_credentials' });
  });

  it.each([
    'with: two: colons',
    ':begins with one',
    'horse täglich ✓ battery',
    '  spaces around  ',
  ])('take the password "%s"', async (secret) => {
    const ada = await register({ password: secret });
    expect((await by(basic(`${ada.username}:${secret}`))).body.id).toBe(ada.id);
    expect((await by(basic(`${ada.username}:${secret.split(':')[0]}`))).status).toBe(
      secret.includes(':') ? 401 : 200,
    );
  });

  it('are refused alike when they are wrong, unknown or of somebody disabled', async () => {
    const ada = await register();
    await auth.users.disable(ada.id);
    for (const pair of [
      `nobody:${password}`,
      `${ada.username}:${password}`,
      `${(await register()).username}:wrong`,
    ]) {
      const { status, body, headers } = await by(basic(pair));
      expect([status, body.code, headers.get('www-authenticate')], pair).toEqual([
        401,
        'invalid_credentials',
        'Bearer realm="sallyport"',
      ]);
    }
  });

  it('are asked of the database, and not taken from a query, a form or a URL', async () => {
    const ada = await register();
    expect(
      (await ask('GET', `/me?username=${ada.username}&password=correct+horse+battery`)).status,
    ).toBe(401);
  });
});

describe('a header that is not of the form', () => {
  const broken: [string, string][] = [
    ['no credentials', 'Basic'],
    ['a space only', 'Basic '],
    ['no base64', 'Basic !!!!'],
    ['two spaces', `Basic  ${Buffer.from('a:b').toString('base64')}`],
    ['more after it', `${basic('a:b')} more`],
    ['a list', `${basic('a:b')}, ${basic('a:b')}`],
    ['no colon', basic('nobody')],
    ['no name', basic(':secret')],
    ['no password', basic('nobody:')],
    ['nothing but a colon', basic(':')],
    ['bytes that are no UTF-8', basic(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))],
    ['NUL in the name', basic('a\0b:secret')],
    ['lines in the name', basic('a\r\nb:secret')],
    ['a name of 600', basic(`${'a'.repeat(600)}:secret`)],
    ['a password of 9000', basic(`a:${'b'.repeat(9000)}`)],
    ['SQL', basic("' OR '1'='1:x")],
    ['base64 for URLs', 'Basic YTpi_-'],
  ];
  it.each(broken)('is refused, without an error of ours: %s', async (_what, authorization) => {
    const { status, body } = await by(authorization);
    expect([status, body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('is not read loosely: bytes that are no UTF-8 are not the sign that stands for them', async () => {
    const ada = await register({ password: '\ufffd horse battery staple' });
    const bytes = Buffer.concat([
      Buffer.from(`${ada.username}:`),
      Buffer.from([0xff]),
      Buffer.from(' horse battery staple'),
    ]);
    expect((await by(basic(`${ada.username}:\ufffd horse battery staple`))).status).toBe(200);
    expect((await by(basic(bytes))).status).toBe(401);
  });

  it('costs no query and no hash when nothing can be read from it', async () => {
    const statements = statementsOf(User.sequelize);
    for (const [, authorization] of broken.slice(0, 10)) await by(authorization);
    expect(statements).toEqual([]);
  });

  it.each(['Basicx YTpi', 'Digest username="a"', 'Negotiate YTpi', 'x', 'Bearerbasic YTpi'])(
    'is not ours: %s',
    async (authorization) => {
      expect((await by(authorization)).body).toMatchObject({ status: 401, code: 'token_missing' });
    },
  );

  it('is refused when it is there twice', async () => {
    const ada = await register();
    const header = `Authorization: ${basic(`${ada.username}:${password}`)}\r\n`;
    const { answers } = await rawRequest(
      url,
      `GET /me HTTP/1.1\r\nHost: x\r\n${header}Authorization: ${basic('a:b')}\r\n\r\n`,
    );
    expect(answers[0]!.status).toBe(400);
    const [token] = (
      await rawRequest(
        url,
        `GET /me HTTP/1.1\r\nHost: x\r\n${header}Authorization: Bearer ${ada.token}\r\n\r\n`,
      )
    ).answers;
    expect(token!.status).toBe(400);
  });
});
