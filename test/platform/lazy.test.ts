import { expect, it } from 'vitest';
import { lazy } from '#src/platform/lazy';

it('makes once what two ask for at the same time, and answers it from then on', async () => {
  let made = 0;
  const get = lazy(async () => ({ number: ++made }));
  expect(made).toBe(0);
  const [first, second] = await Promise.all([get(), get()]);
  expect(first).toBe(second);
  expect(await get()).toBe(first);
  expect(made).toBe(1);
});

it('tries again after a failure, which all hear that asked', async () => {
  let made = 0;
  const get = lazy(async () => {
    if (++made === 1) throw new Error('away');
    return made;
  });
  const outcomes = await Promise.allSettled([get(), get()]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await get()).toBe(2);
});
