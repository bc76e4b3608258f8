import { afterAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import type { Answer } from '#test/support/client';
import { jsonRequest, rawRequest } from '#test/support/raw-socket';
import { statementsOf } from '#test/support/statements';

const { ask, register, url, Session, User } = await startApp();
const ada = await register();
const token: string = ada.tokens.refreshToken;
const REFUSED = { status: 400, code: 'invalid_request' };
const post = (raw: string | Buffer, path = '/auth/refresh') =>
  ask('POST', path, { raw, headers: { 'content-type': 'application/json' } });
const expectRefused = ({ status, body }: Answer) =>
  expect({ status, code: body.code }).toEqual(REFUSED);

describe('POST /auth/refresh with a body of the wrong shape asks the database nothing', () => {
  const statements = statementsOf(User.sequelize);
  afterAll(async () => {
    expect(statements).toEqual([]);
    expect((await Session.findByPk(ada.tokens.session.id))!.generation).toBe(0);
  });

  it.each([
    '""',
    'null',
    '0',
    '1',
    '-1',
    '1e400',
    'true',
    'false',
    '[]',
    '{}',
    `["${token}"]`,
    `{"refreshToken":"${token}"}`,
    '{"length":80}',
  ])('a refresh token that is %s (R-09)', async (value) => {
    const { status, body } = await post(`{"refreshToken":${value}}`);
    expect({ status, code: body.code }).toEqual(REFUSED);
    for (const { pointer } of body.errors) expect(pointer).toBe('/refreshToken');
  });

  it.each([
    'null',
    '0',
    'true',
    '""',
    `"${token}"`,
    '[]',
    `["${token}"]`,
    '{}',
    `{"token":"${token}"}`,
    `{"refresh_token":"${token}"}`,
  ])('the body %s (R-10)', async (body) => expectRefused(await post(body)));

  it.each([
    ['nothing', ''],
    ['half of it', `{"refreshToken":"${token}"`],
    ['two of them', `{"refreshToken":"${token}"}{}`],
    ['no JSON', `refreshToken=${token}`],
    ['a comment', `{"refreshToken":"${token}"/**/}`],
    ['a single quote', `{'refreshToken':'${token}'}`],
    [
      'a byte that is no UTF-8',
      Buffer.concat([
        Buffer.from(`{"refreshToken":"${token}`),
        Buffer.from([0xff]),
        Buffer.from('"}'),
      ]),
    ],
  ])('that is %s', async (_what, raw) => {
    expectRefused(await post(raw));
  });

  it.each(['__proto__', 'constructor', 'scope', 'grant_type', 'device', 'generation', 'sessionId'])(
    'with %s beside it',
    async (name) => {
      const answer = await post(`{"refreshToken":"${token}","${name}":{"generation":1}}`);
      expectRefused(answer);
      expect(answer.body.errors).toMatchObject([{ code: 'unknown_field' }]);
    },
  );

  it('longer than any token', async () => {
    for (const long of [token.padEnd(1025, 'A'), 'A'.repeat(16_000)])
      expectRefused(await post(`{"refreshToken":"${long}"}`));
    const { body } = await post(`{"refreshToken":"${token.padEnd(1024, 'A')}"}`);
    expect(body).toMatchObject({ code: 'invalid_grant', reason: 'unknown' });
  });

  it('of a megabyte', async () => {
    const { answers } = await rawRequest(
      url,
      jsonRequest('POST', '/auth/refresh', JSON.stringify({ refreshToken: 'A'.repeat(2 ** 20) })),
    );
    expect(answers[0]).toMatchObject({ status: 413 });
    expect(JSON.parse(answers[0]!.body)).toMatchObject({ code: 'payload_too_large' });
  });

  it('of another kind, or with the token somewhere else', async () => {
    const form = {
      raw: `refreshToken=${token}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
    };
    expect((await ask('POST', '/auth/refresh', form)).status).toBe(415);
    for (const path of [`/auth/refresh?refreshToken=${token}`, '/auth/refresh'])
      for (const headers of [
        { authorization: `Bearer ${token}` },
        { cookie: `refreshToken=${token}` },
      ])
        expectRefused(await ask('POST', path, { headers }));
    expectRefused(await post(`{"refreshToken":"${token}"}`, `/auth/refresh?refreshToken=${token}`));
    expect((await ask('GET', '/auth/refresh')).status).toBe(405);
  });
});
