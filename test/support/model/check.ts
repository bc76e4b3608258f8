import { expect } from 'vitest';
import type { Answer } from '#test/support/client';
import { read } from '#test/support/forge';
import type { Real } from '#test/support/model/node';
import type {
  ModelSession,
  ModelToken,
  ModelUser,
  Verdict,
  World,
} from '#test/support/model/world';

export function expectVerdict({ status, body }: Answer, verdict: Verdict): void {
  expect({
    status,
    code: body?.code,
    reason: body?.reason,
    sessionStatus: body?.sessionStatus,
  }).toEqual(verdict);
}

export const shown = ({ id, name, roles }: ModelUser) => ({
  id,
  username: name,
  roles: [...roles].sort(),
});

/** Expects tokens of this session, in its generation, and notes them. */
export function expectTokens(world: World, session: ModelSession, { body }: Answer): void {
  const { now, sessions } = world;
  if (!session.id) {
    expect(sessions.map(({ id }) => id)).not.toContain(body.session.id);
    session.id = body.session.id;
    world.events.push(`session.started ${session.id} `);
  }
  const { id, generation, expiresAt, createdAt, refreshTokens } = session;
  expect(body).toMatchObject({
    tokenType: 'Bearer',
    expiresIn: 600,
    refreshExpiresIn: (expiresAt - now) / 1000,
    session: {
      id,
      strategy: 'local',
      createdAt: new Date(createdAt).toISOString(),
      expiresAt: new Date(expiresAt).toISOString(),
    },
    user: shown(session.user),
  });
  expect(read(body.accessToken).claims).toMatchObject({
    sub: session.user.id,
    sid: id,
    gen: generation,
    exp: now / 1000 + 600,
  });
  refreshTokens[generation] ??= body.refreshToken;
  expect(body.refreshToken).toBe(refreshTokens[generation]);
  const bytes = Buffer.from(body.refreshToken.replace(/^rt1\./, ''), 'base64url');
  expect([bytes.length, bytes.subarray(5, 21).toString('hex')]).toEqual([
    57,
    id.replaceAll('-', ''),
  ]);
  expect(bytes.readUInt32BE(21)).toBe(generation);
  world.handOut(session, body.accessToken);
}

/** True if asking with the token changes nothing. The first use of a generation is recorded. */
const isQuiet = ({ session, generation }: ModelToken) =>
  session.acknowledged || generation < session.generation;

/**
 * Expects the events of the model, and that the guard lets in exactly the access tokens that the
 * model lets in. The guard is asked without HTTP: the commands ask over HTTP. Refused tokens are
 * checked again at the end.
 */
export async function expectSame(world: World, { node }: Real): Promise<void> {
  expect(node.events.splice(0).sort()).toEqual(world.events.splice(0).sort());
  const asked = world.tokens.filter((token) => !token.settled && isQuiet(token));
  const expected = asked.map((token) => world.judge(token).code ?? null);
  expect(await Promise.all(asked.map(({ text }) => node.guard(text)))).toEqual(expected);
  asked.forEach((token, i) => (token.settled = expected[i] !== null));
}

/**
 * At the end of a sequence: checks every token. Tokens of unused generations are used, over
 * HTTP.
 */
export async function expectSameAtLast(world: World, { node }: Real): Promise<void> {
  const [quiet, unused] = [true, false].map((is) =>
    world.tokens.filter((token) => isQuiet(token) === is),
  ) as [ModelToken[], ModelToken[]];
  const expected = (tokens: ModelToken[]) => tokens.map((token) => world.judge(token).code ?? null);
  expect(await Promise.all(quiet.map(({ text }) => node.guard(text)))).toEqual(expected(quiet));
  const answers = await Promise.all(
    unused.map(({ text }) => node.ask('GET', '/me', { token: text })),
  );
  expect(answers.map(({ body }) => body.code ?? null)).toEqual(expected(unused));
}
