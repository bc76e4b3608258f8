import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express, { type Response } from 'express';
import { expect, it } from 'vitest';
import { sendPieces } from '#src/platform/http/send-pieces';
import { whenTestDone } from '#test/support/when-done';

// Of a server alone: which listeners an answer has is not seen from outside.
it('leaves no listener behind, however often the client must be waited for', async () => {
  const counts: number[] = [];
  async function* pieces(res: Response) {
    for (let i = 0; i < 32; i++) {
      counts.push(res.listenerCount('close') + res.listenerCount('drain'));
      yield 'x'.repeat(1024 * 1024); // more than any buffer takes at once
    }
  }
  const app = express().get('/', (_req, res) => sendPieces(res, 'text/plain', pieces(res)));
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  whenTestDone(() => void server.close());
  const answer = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  expect((await answer.text()).length).toBe(32 * 1024 * 1024);
  expect(new Set(counts.slice(1)).size).toBe(1);
});
