import passport from 'passport';
import { z } from 'zod';
import { defineStrategy } from '#src/strategy-kit/strategy';
import { ways, type WayName } from '#test/support/awkward';

const names = Object.keys(ways) as [WayName, ...WayName[]];

/** Signs in as its body says. */
export default defineStrategy({
  name: 'awkward',
  kind: 'login',
  summary: 'Does what a strategy must not',
  credentials: z.strictObject({ way: z.enum(names) }),
  create: ({ auth }) =>
    Object.assign(new passport.Strategy(), {
      authenticate(this: passport.StrategyCreatedStatic, req: { body: { way: WayName } }) {
        return ways[req.body.way](this, auth);
      },
    }),
});
