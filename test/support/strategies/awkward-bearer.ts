import type { Request } from 'express';
import passport from 'passport';
import { defineStrategy } from '#src/strategy-kit/strategy';
import { ways, type WayName } from '#test/support/awkward';

/** Lets in as its header says. */
export default defineStrategy({
  name: 'awkward-bearer',
  kind: 'bearer',
  summary: 'Does what a strategy must not',
  scheme: { type: 'apiKey', in: 'header', name: 'x-way' },
  create: ({ auth }) =>
    Object.assign(new passport.Strategy(), {
      authenticate(this: passport.StrategyCreatedStatic, req: Request) {
        const way = req.headers['x-way'] as WayName | undefined;
        return way ? ways[way](this, auth) : this.fail();
      },
    }),
});
