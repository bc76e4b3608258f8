import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTimeText } from '#src/platform/clock';

it('writes times as toISOString does, in whatever order they come', () => {
  const timeOf = createTimeText();
  const near = fc.integer({ min: 1_795_789_497_000, max: 1_795_789_499_999 });
  const any = fc.integer({ min: 0, max: 253_402_300_799_999 });
  fc.assert(
    fc.property(fc.array(fc.oneof(near, any)), (times) => {
      for (const ms of times) expect(timeOf(ms)).toBe(new Date(ms).toISOString());
    }),
  );
});
