// The memory is asked on its own: a test cannot send as many proofs as it holds.
import { afterEach, expect, it, vi } from 'vitest';
import { UsedProofs } from '#src/protect/used-proofs';
import { Nonces } from '#src/protect/nonces';

const START = 1_800_000_000;
const GOOD = 60;
const at = (second: number) => vi.useFakeTimers({ toFake: ['Date'], now: second * 1000 });
afterEach(() => void vi.useRealTimers());

/** As `protect` asks it. */
const takes = (used: UsedProofs, id: string, end: number) =>
  !used.isTooOld(end) && used.use(id, end);

it('forgets proofs when they are too old, and takes none of those again (Q-07)', () => {
  at(START);
  const used = new UsedProofs(GOOD);
  expect(takes(used, 'a', START + GOOD)).toBe(true);
  expect(takes(used, 'a', START + GOOD)).toBe(false);
  at(START + GOOD + 1);
  expect(takes(used, 'b', START + 2 * GOOD)).toBe(true);
  expect(used.size).toBe(1);
  at(START); // somebody sets the clock back
  expect(takes(used, 'a', START + GOOD)).toBe(false);
});

it('holds so many, and whoever fills it opens no way to use a proof again (Q-07)', () => {
  at(START);
  const used = new UsedProofs(GOOD, 100);
  const sent: [id: string, end: number][] = [];
  let taken = 0;
  for (let second = 0; second < 5; second++) {
    at(START + second);
    for (let i = 0; i < 60; i++) {
      const proof: [string, number] = [`${second}.${i}`, START + second + GOOD];
      sent.push(proof);
      if (takes(used, ...proof)) taken++;
      expect(used.size).toBeLessThanOrEqual(100);
    }
    // A new proof is always taken: those that are refused are older.
    sent.push([`new ${second}`, START + second + GOOD + 1]);
    expect(takes(used, ...sent.at(-1)!)).toBe(true);
  }
  expect(taken).toBeGreaterThan(250);
  for (const proof of sent) expect(takes(used, ...proof), proof[0]).toBe(false);
});

it('takes no proof of before it was there: the process before may have taken it (Q-07)', () => {
  at(START);
  const used = new UsedProofs(GOOD);
  expect(takes(used, 'a', START - 1 + GOOD)).toBe(false);
  expect(takes(used, 'b', START + GOOD)).toBe(true);
});

it('a nonce is good for five minutes, with the secret it was made of, on clocks a minute apart', () => {
  at(START);
  const [here, there, other] = [new Nonces('x'), new Nonces('x'), new Nonces('y')];
  const nonce = here.make();
  expect(there.end(nonce)).toBe(START + 300);
  expect(other.end(nonce)).toBeUndefined();
  for (const [second, isGood] of [
    [START + 299, true],
    [START + 300, false],
    [START - 60, true],
    [START - 61, false],
  ] as const) {
    at(second);
    expect(there.end(nonce) !== undefined, String(second)).toBe(isGood);
  }
  const bytes = Buffer.from(nonce, 'base64url');
  for (let i = 0; i < bytes.length; i++) {
    const changed = Buffer.from(bytes);
    changed[i]! ^= 1;
    expect(there.end(changed.toString('base64url'))).toBeUndefined();
  }
});
