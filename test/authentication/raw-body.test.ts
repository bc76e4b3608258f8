import { createHmac } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { startApp, testSecret } from '#test/support/app';
import type { Question } from '#test/support/client';
import { root } from '#test/support/process';
import { jsonRequest, rawRequest } from '#test/support/raw-socket';

const key = testSecret();
const { ask, document, register, url, User } = await startApp({
  STRATEGIES_DIR: join(root, 'test/support/strategies/raw-body'),
  SIGNED_KEY: key,
  SIGNED_USER: 'robot',
});
const robot = await register({ username: 'robot', name: 'Robot' });
const nameOf = async () => (await User.findByPk(robot.id))!.name;

const signatureOf = (body: string | Buffer, by = key) =>
  createHmac('sha256', by).update(body).digest('hex');
const JSON_TYPE = { 'content-type': 'application/json' };
interface Sent {
  signature?: string;
  headers?: Record<string, string>;
}
/** Sends these bytes, signed rightly unless said otherwise. */
const send = (
  raw: string | Buffer,
  { signature = signatureOf(raw), headers = JSON_TYPE }: Sent = {},
) => ask('PATCH', '/me', { raw, headers: { ...headers, 'x-signature': signature } });
const body = (name: string) => JSON.stringify({ name });

/** Answers what the request is refused with. Nobody is renamed. */
async function refusalOf(asked: Promise<{ status: number; body: { code: string } }>) {
  const before = await nameOf();
  const answer = await asked;
  expect(await nameOf()).toBe(before);
  return [answer.status, answer.body.code];
}

describe('a signature over the body', () => {
  it.each([
    ['as JSON.stringify writes it', body('Ada')],
    ['with spaces and lines', '{\n  "name" : "Bob"\n}\n'],
    ['with an escape', '{"name":"Cl\\u00e9o"}'],
    ['with letters of more than one byte', body('Zoë ✓ 🦜')],
    [
      'of the largest size',
      `${body('Dora').slice(0, -1)}${' '.repeat(16 * 1024 - body('Dora').length)}}`,
    ],
  ])('lets in by its bytes, and the route gets the parsed body: %s', async (_what, raw) => {
    const { status, body: answer, text } = await send(raw);
    expect(status, text).toBe(200);
    const { name } = JSON.parse(raw) as { name: string };
    expect(answer).toMatchObject({ id: robot.id, name });
    expect(await nameOf()).toBe(name);
  });

  it('is checked over a body that comes in pieces, of unknown length', async () => {
    const raw = body('In pieces');
    const [half, rest] = [raw.slice(0, 5), raw.slice(5)];
    const pieces = [half, rest]
      .map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`)
      .join('');
    const head = [
      'PATCH /me HTTP/1.1',
      'Host: sallyport.test',
      'Content-Type: application/json',
      `X-Signature: ${signatureOf(raw)}`,
      'Transfer-Encoding: chunked',
    ];
    const { answers } = await rawRequest(url, `${head.join('\r\n')}\r\n\r\n${pieces}0\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(await nameOf()).toBe('In pieces');
  });

  it.each([
    ['a wrong key', signatureOf(body('Eve'), testSecret())],
    ['another body', signatureOf(body('Mallory'))],
    ['nothing', signatureOf('')],
    ['the same JSON, written otherwise', signatureOf('{ "name": "Eve" }')],
    ['one digit less', signatureOf(body('Eve')).slice(0, -2)],
    ['no digits', 'signature'],
    ['an empty text', ''],
  ])('is refused when it is one of %s', async (_what, signature) => {
    expect(await refusalOf(send(body('Eve'), { signature }))).toEqual([401, 'token_invalid']);
  });

  it('is refused when one byte of the body was changed', async () => {
    const raw = Buffer.from(body('Eve'));
    const signature = signatureOf(raw);
    for (const at of raw.keys()) {
      const changed = Buffer.from(raw);
      changed[at]! ^= 1;
      expect(await refusalOf(send(changed, { signature }))).toEqual([401, 'token_invalid']);
    }
    for (const more of [' ', '\n', '\0']) {
      const longer = Buffer.concat([raw, Buffer.from(more)]);
      expect(await refusalOf(send(longer, { signature }))).toEqual([401, 'token_invalid']);
    }
  });

  it('may be one over an empty body', async () => {
    const headers = { 'x-signature': signatureOf('') };
    const { status, body: me } = await ask('GET', '/me', { headers });
    expect([status, me.id]).toEqual([200, robot.id]);
    const wrong = { headers: { 'x-signature': signatureOf(' ') } };
    expect(await refusalOf(ask('GET', '/me', wrong))).toEqual([401, 'token_invalid']);
    expect(await refusalOf(ask('PATCH', '/me', { headers }))).toEqual([400, 'invalid_request']);
  });

  it('does not help a body that is not good', async () => {
    const large = body('x'.repeat(17_000));
    expect(await refusalOf(send(large))).toEqual([413, 'payload_too_large']);
    for (const raw of [
      '{"name":"Eve"',
      'name',
      '"Eve"',
      '[]',
      '{"name":1}',
      '{"name":"Eve","surplus":1}',
    ])
      expect(await refusalOf(send(raw)), raw).toEqual([400, 'invalid_request']);
    const invalid = Buffer.from('7b226e616d65223a22ff227d', 'hex'); // half a character
    expect(await refusalOf(send(invalid))).toEqual([400, 'invalid_request']);
    const zipped = gzipSync(body('Eve'));
    const headers = { ...JSON_TYPE, 'content-encoding': 'gzip' };
    expect(await refusalOf(send(zipped, { headers }))).toEqual([415, 'unsupported_media_type']);
    for (const type of [
      'text/plain',
      'application/octet-stream',
      'application/x-www-form-urlencoded',
      '',
    ])
      expect(
        await refusalOf(send(body('Eve'), { headers: { 'content-type': type } })),
        type,
      ).toEqual([415, 'unsupported_media_type']);
  });

  it('is asked about before the body is: a stranger is not told what was wrong with it', async () => {
    const signature = signatureOf('another body');
    for (const raw of ['{"name":', '[]', '{"surplus":1}'])
      expect(await refusalOf(send(raw, { signature })), raw).toEqual([401, 'token_invalid']);
  });

  it('is one credential, and no second one goes with it', async () => {
    const raw = body('Eve');
    const headers = { ...JSON_TYPE, authorization: `Bearer ${robot.token}` };
    expect(await refusalOf(send(raw, { headers }))).toEqual([400, 'invalid_request']);
  });

  it('does not keep a body for the next request of the connection', async () => {
    const [first, second] = [body('First'), body('Second')];
    const signed = (raw: string, signature = signatureOf(raw)) =>
      jsonRequest('PATCH', '/me', raw, { 'X-Signature': signature });
    const requests = [signed(first), signed(second, signatureOf(first)), signed(second)];
    const { answers } = await rawRequest(url, requests, 3);
    expect(answers.map(({ status }) => status)).toEqual([200, 401, 200]);
    expect(await nameOf()).toBe('Second');
  });

  it('stands in the OpenAPI document as any other header', async () => {
    expect((await document()).components!.securitySchemes).toHaveProperty(
      'signed.name',
      'X-Signature',
    );
    expect((await document()).paths!['/me']!.patch!.security).toContainEqual({ signed: [] });
  });
});

describe('a request without a signature', () => {
  const rename = (question: Question) => robot.ask('PATCH', '/me', question);

  it('is let in by its token, and read as before', async () => {
    const { status, body: me } = await rename({ body: { name: 'By token' } });
    expect([status, me.name]).toEqual([200, 'By token']);
    expect(await refusalOf(rename({ body: { surplus: 1 } }))).toEqual([400, 'invalid_request']);
    const large = { raw: body('x'.repeat(17_000)), headers: JSON_TYPE };
    expect(await refusalOf(rename(large))).toEqual([413, 'payload_too_large']);
    const text = { raw: body('Eve'), headers: { 'content-type': 'text/plain' } };
    expect(await refusalOf(rename(text))).toEqual([415, 'unsupported_media_type']);
  });

  it('is refused before its body is read when it has no credential, or a wrong one', async () => {
    const large = { raw: body('x'.repeat(17_000)), headers: JSON_TYPE };
    expect(await refusalOf(ask('PATCH', '/me', large))).toEqual([401, 'token_missing']);
    expect(await refusalOf(ask('PATCH', '/me', { ...large, token: 'x' }))).toEqual([
      401,
      'token_invalid',
    ]);
  });

  it('signs in as before', async () => {
    const { status } = await ask('POST', '/auth/login', {
      body: { identifier: 'robot', password: 'wrong' },
    });
    expect(status).toBe(401);
  });
});
