import { Strategy as LocalStrategy, type VerifyFunction } from 'passport-local';
import { ConnectionRefusedError } from 'sequelize';
import { z } from 'zod';
import type { ServerApi } from '#src/server-api';
import { defineStrategy } from '#src/strategy-kit/strategy';
import { ANYBODY, SECRET } from '#test/support/awkward';

// As most tutorials write it: an async verify function, and nobody who awaits it.
const raw =
  (auth: ServerApi): VerifyFunction =>
  async (username, _password, done) => {
    if (username === 'rejects') throw new Error(`cannot use ${SECRET}`);
    if (username === 'database')
      throw new ConnectionRefusedError(new Error('connect ECONNREFUSED'));
    if (username === 'silent') return;
    if (username === 'errs') return done(new Error(`cannot use ${SECRET}`));
    const user = (await auth.users.find(ANYBODY)) as unknown as Express.User;
    done(null, username === 'right' || username === 'right, then rejects' ? user : false, {
      message: SECRET,
    });
    if (username.endsWith('then rejects')) throw new Error('afterwards');
  };

/** passport-local with a raw async verify function. */
export default defineStrategy({
  name: 'raw-local',
  path: 'raw/local',
  kind: 'login',
  summary: 'passport-local as tutorials use it',
  credentials: z.strictObject({ username: z.string(), password: z.string() }),
  create: ({ auth }) => new LocalStrategy(raw(auth)),
});
