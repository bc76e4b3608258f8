import * as fc from 'fast-check';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import type { Answer } from '#test/support/client';
import { engine } from '#test/support/database';
import { hold } from '#test/support/elsewhere';
import { eventually } from '#test/support/eventually';
import { read } from '#test/support/forge';
import { settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const { ask, databaseUrl, env, register, Session } = await startApp();
const here = { ask };
/** Another node: a process of its own over the same database. */
const there = await startProcess(settingsFor(databaseUrl, { APP_SECRET: env.APP_SECRET }));
afterAll(async () => void (await there.kill()));
type Node = Pick<typeof there, 'ask'>;

interface Tokens {
  accessToken: string;
  refreshToken: string;
  session: { id: string; expiresAt: string };
}
/** Asks again while the answer is 503, as clients should. */
async function insist(question: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await question();
    if (answer.status !== 503) return answer;
  }
}
async function refresh({ ask }: Node, refreshToken: string): Promise<Tokens> {
  const { status, body, text } = await insist(() =>
    ask('POST', '/auth/refresh', { body: { refreshToken } }),
  );
  expect(status, text).toBe(200);
  return body;
}
const enter = async ({ ask }: Node, token: string) =>
  expect((await insist(() => ask('GET', '/me', { token }))).status).toBe(200);
const rowOf = async ({ session }: Pick<Tokens, 'session'>) => (await Session.findByPk(session.id))!;
const generationOf = ({ accessToken }: Tokens) => read(accessToken).claims['gen'];

const CROWD = 50;
const shuffled = <T>(list: readonly T[]): T[] =>
  fc.sample(fc.shuffledSubarray([...list], { minLength: list.length }), 1)[0]!;
const crowd = (nodes: readonly Node[]) =>
  shuffled(Array.from({ length: CROWD }, (_, i) => nodes[i % nodes.length]!));

/** The one refresh token that all of a crowd were given, of this generation. */
async function expectOne(all: readonly Tokens[], generation: number): Promise<string> {
  expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(1);
  expect(new Set(all.map(({ session }) => session.expiresAt)).size, 'who began it, and when').toBe(
    1,
  );
  expect(new Set(all.map(generationOf))).toEqual(new Set([generation]));
  expect(await rowOf(all[0]!)).toMatchObject({ generation, endedAt: null });
  return all[0]!.refreshToken;
}

describe.each([
  ['one node', [here]],
  [`two nodes over one ${engine === 'sqlite' ? 'file' : 'database'}`, [here, there]],
] as const)('fifty who come at once with one refresh token, on %s (R-03)', (_where, nodes) => {
  it('begin one generation and get the same token, and so they do the next time', async () => {
    for (let round = 0; round < rounds(3, 100); round++) {
      const { tokens } = await register();
      const all = await Promise.all(crowd(nodes).map((node) => refresh(node, tokens.refreshToken)));
      const next = await expectOne(all, 1);
      expect((await rowOf(tokens)).acknowledged).toBe(false);
      const uses = all.map(
        ({ accessToken }, i) =>
          () =>
            enter(nodes[i % nodes.length]!, accessToken),
      );
      const again: Tokens[] = [];
      const refreshing = crowd(nodes).map(
        (node) => async () => void again.push(await refresh(node, next)),
      );
      const acts = round % 4 === 0 ? [...uses, ...refreshing] : uses;
      await Promise.all(shuffled(acts).map((act) => act()));
      if (again.length > 0) await expectOne(again, 2);
    }
  });

  it('agree also when they come one after the other', async () => {
    const { tokens } = await register();
    let token: string = tokens.refreshToken;
    for (let generation = 1; generation <= rounds(3, 50); generation++) {
      const all: Tokens[] = [];
      for (const node of crowd(nodes).slice(0, 10)) {
        all.push(await refresh(node, token));
        await enter(node, all.at(-1)!.accessToken);
      }
      token = await expectOne(all, generation);
    }
    expect(await rowOf(tokens)).toMatchObject({ acknowledged: true });
  });
});

it('sessions do not meet: twenty users who refresh at once each get their own', async () => {
  for (let round = 0; round < rounds(1, 50); round++) {
    const users = [];
    for (let i = 0; i < 20; i++) users.push((await register()).tokens);
    const all = await Promise.all(
      users.flatMap((tokens) => [here, there].map((node) => refresh(node, tokens.refreshToken))),
    );
    expect(all.map(({ session }) => session.id)).toEqual(
      users.flatMap(({ session }) => [session.id, session.id]),
    );
    expect(new Set(all.map(({ refreshToken }) => refreshToken)).size).toBe(20);
  }
});

it('of many who have seen the same generation and want to write, one does', async () => {
  const { tokens } = await register();
  const writes = statementsOf(Session.sequelize, (sql) => /\bUPDATE\b|BEGIN/.test(sql));
  const letGo = await hold(databaseUrl, tokens.session.id);
  const now = Date.now();
  const asked: Promise<Tokens>[] = [];
  for (let i = 1; i <= 6; i++) {
    vi.useFakeTimers({ toFake: ['Date'], now: now + i * 1000 });
    asked.push(refresh(here, tokens.refreshToken));
    await eventually(() => expect(writes.length).toBeGreaterThanOrEqual(i));
  }
  await letGo();
  const all = await Promise.all(asked);
  vi.useRealTimers();
  await expectOne(all, 1);
  expect(await rowOf(tokens)).toMatchObject({ expiresAt: new Date(all[0]!.session.expiresAt) });
});
