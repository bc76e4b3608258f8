import { availableParallelism } from 'node:os';
import { bytesOf, load } from '#client';
import { onSqlite, runBench, type Running } from '#servers';
import { median } from '#statistics';

/** How many more guarded requests several workers answer than one. Usage: `node workers.ts [workers]`. */
const WORKERS = Number(process.argv[2] ?? availableParallelism());
const ROUNDS = 7;
const REQUESTS = 40_000;
const CONNECTIONS = 50;

async function tokenAt({ url }: Running): Promise<string> {
  const answer = await fetch(`${url}/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ username: 'somebody', password: 'correct horse battery staple' }),
  });
  return ((await answer.json()) as { accessToken: string }).accessToken;
}

/** Guarded requests a second. */
async function rate({ url }: Running, token: string): Promise<number> {
  const question = bytesOf({ method: 'GET', path: '/me', token });
  const begin = performance.now();
  await load({ url, connections: CONNECTIONS, requests: REQUESTS, ask: () => question });
  return REQUESTS / ((performance.now() - begin) / 1000);
}

await runBench(async () => {
  const one = await onSqlite({ WORKERS: '1' });
  const several = await onSqlite({ WORKERS: String(WORKERS) });
  const tokens = { one: await tokenAt(one), several: await tokenAt(several) };
  const rates = { one: [] as number[], several: [] as number[] };
  for (let i = -1; i < ROUNDS; i++) {
    const pair = [await rate(one, tokens.one), await rate(several, tokens.several)] as const;
    if (i < 0) continue; // warms up
    rates.one.push(pair[0]);
    rates.several.push(pair[1]);
  }
  const gain = median(rates.several.map((each, i) => each / rates.one[i]!));
  console.table({
    'guarded, SQLite': {
      'requests/s, 1 worker': Math.round(median(rates.one)),
      [`requests/s, ${WORKERS} workers`]: Math.round(median(rates.several)),
      gain: Number(gain.toFixed(2)),
      cores: availableParallelism(),
    },
  });
  console.log('The load comes from the same machine, so it takes a part of the cores.');
});
