import { Strategy as LocalStrategy, type VerifyFunction } from 'passport-local';
import { ConnectionRefusedError } from 'sequelize';
import { z } from 'zod';
import { User } from '#models/index';
import { defineStrategy } from '#src/http/strategy';
import { SECRET } from '#test/support/awkward';

// As most tutorials write it: an async verify function, and nobody who awaits it.
const raw: VerifyFunction = async (username, _password, done) => {
  if (username === 'rejects') throw new Error(`cannot use ${SECRET}`);
  if (username === 'database') throw new ConnectionRefusedError(new Error('connect ECONNREFUSED'));
  if (username === 'silent') return;
  if (username === 'errs') return done(new Error(`cannot use ${SECRET}`));
  const user = await User.findOne({ where: { disabledAt: null }, include: ['roles'] });
  done(null, username === 'right' || username === 'right, then rejects' ? user! : false, { message: SECRET });
  if (username.endsWith('then rejects')) throw new Error('afterwards');
};

/** passport-local with a raw async verify function. */
export default defineStrategy({
  name: 'raw-local',
  path: 'raw/local',
  kind: 'login',
  summary: 'passport-local as tutorials use it',
  credentials: z.strictObject({ username: z.string(), password: z.string() }),
  create: () => new LocalStrategy(raw),
});
