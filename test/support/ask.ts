// Asks a strategy of Passport for many requests, and prints how many bytes of them are left when only new objects were
// collected. With the argument `bare` Passport is handed the requests themselves. It needs `--expose-gc`, and those flags
// of V8 that let it neither optimize nor collect by itself: see `authentication/ask-passport.test.ts`.
import type { Request, RequestHandler } from 'express';
import passport from 'passport';
import { AskedFor, askPassport } from '#src/authentication/ask-passport';

const REQUESTS = 500;
/** Bytes of a request: enough to see, too little for a large object. */
const SIZE = 40_000;

const host = new passport.Passport();
class Strategy extends passport.Strategy {
  override name = 'known';
  override authenticate(): void {
    this.success({} as Express.User);
  }
}
host.use(new Strategy());

const newRequest = () =>
  ({ body: Array.from<number>({ length: SIZE / 8 }).fill(0.5) }) as unknown as Request;
const none = () => {};
const ask =
  process.argv[2] === 'bare'
    ? () => {
        const authenticate = host.authenticate('known', { session: false }, none) as RequestHandler;
        authenticate(newRequest(), {} as never, none);
      }
    : () => askPassport(host, ['known'], new AskedFor(newRequest(), none, none));

const collect = globalThis.gc!;
collect({ type: 'major' });
const before = process.memoryUsage().heapUsed;
for (let i = 0; i < REQUESTS; i++) ask();
for (let i = 0; i < 3; i++) collect({ type: 'minor' });
console.log(process.memoryUsage().heapUsed - before);
