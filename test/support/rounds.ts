/** `npm run test:long` is under way: what is tried a few times by `npm test` is tried many times. */
export const long = process.env['TEST_LONG'] === '1';

/** How often to try something whose outcome may depend on chance. */
export const rounds = (usually: number, thoroughly: number): number =>
  long ? thoroughly : usually;
