import type { IncomingHttpHeaders } from 'node:http';
import { DatabaseSync } from 'node:sqlite';
import bcrypt from 'bcrypt';
import express, { type RequestHandler } from 'express';
import { createPool } from 'mysql2/promise';
import { borrowed } from '#candidates/borrowed';
import { profileOf } from '#people';

/**
 * better-auth as its documentation mounts it in Express, with its plug-ins for bearer tokens, usernames and roles. Joins
 * are on: one statement for session and user, not two. Its limits are off, as everybody's, and passwords are hashed with
 * bcrypt at the cost of the others.
 */
interface User {
  id: string;
  username: string;
  email: string;
  name: string;
  role: string;
}
interface Auth {
  api: { getSession(question: { headers: Headers }): Promise<{ user: User } | null> };
}
const { betterAuth } = await borrowed<{ betterAuth: (options: object) => Auth }>('better-auth');
const { admin, bearer, username } =
  await borrowed<Record<'admin' | 'bearer' | 'username', () => object>>('better-auth/plugins');
const { fromNodeHeaders, toNodeHandler } = await borrowed<{
  fromNodeHeaders: (headers: IncomingHttpHeaders) => Headers;
  toNodeHandler: (auth: Auth) => RequestHandler;
}>('better-auth/node');
const { getMigrations } = await borrowed<{
  getMigrations: (options: object) => Promise<{ runMigrations: () => Promise<void> }>;
}>('better-auth/db/migration');

const cost = Number(process.env['BCRYPT_COST']);
const url = process.env['DATABASE_URL']!;
function openDatabase(): unknown {
  if (!url.startsWith('sqlite:')) return createPool({ uri: url, timezone: 'Z' });
  const file = new DatabaseSync(url.slice('sqlite:'.length));
  file.exec('PRAGMA journal_mode = WAL');
  return file;
}
const options = {
  database: openDatabase(),
  secret: process.env['APP_SECRET'],
  baseURL: `http://127.0.0.1:${process.env['PORT']}`,
  emailAndPassword: {
    enabled: true,
    password: {
      hash: (password: string) => bcrypt.hash(password, cost),
      verify: ({ hash, password }: { hash: string; password: string }) =>
        bcrypt.compare(password, hash),
    },
  },
  plugins: [bearer(), username(), admin()],
  rateLimit: { enabled: false },
  telemetry: { enabled: false },
  advanced: { database: { joins: true, generateId: 'uuid' } },
};
await (await getMigrations(options)).runMigrations();
const auth = betterAuth(options);

const guard =
  (role?: string): RequestHandler =>
  async (req, res, next) => {
    const found = await auth.api.getSession({ headers: fromNodeHeaders(req.headers) });
    if (!found) return void res.status(401).end();
    if (role && !found.user.role.split(',').includes(role)) return void res.status(403).end();
    res.locals['user'] = found.user;
    next();
  };
const answerProfile: RequestHandler = (_req, res) => {
  const user = res.locals['user'] as User;
  res.json(profileOf(user.id, user, user.role.split(',')));
};

const app = express();
app.all('/api/auth/{*any}', toNodeHandler(auth));
app.get('/me', guard(), answerProfile);
app.get('/editors', guard('user'), answerProfile);
app.listen(Number(process.env['PORT']), '127.0.0.1');
