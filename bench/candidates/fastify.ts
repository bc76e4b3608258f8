import { randomBytes } from 'node:crypto';
import { somebody } from '#people';
import { borrowed } from '#candidates/borrowed';

/** Fastify with @fastify/jwt, as its README has it. The signature is checked, and nothing else: no session, no role. */
interface Request {
  jwtVerify(): Promise<void>;
}
interface Server {
  register(plugin: unknown, options: object): Promise<void>;
  get(path: string, options: object, handler: () => unknown): void;
  listen(options: object): Promise<string>;
  jwt: { sign(claims: object): string };
}
const { default: fastify } = await borrowed<{ default: () => Server }>('fastify');
const { default: jwt } = await borrowed<{ default: unknown }>('@fastify/jwt');

const text = { type: 'string' };
const profile = {
  type: 'object',
  properties: {
    id: text,
    username: text,
    email: text,
    emailVerified: { type: 'boolean' },
    name: text,
    roles: { type: 'array', items: text },
    locale: { type: 'null' },
    permissions: { type: 'array', items: text },
    actor: { type: 'null' },
  },
};

const app = fastify();
await app.register(jwt, { secret: randomBytes(32).toString('hex') });
app.get('/token', {}, () => ({ accessToken: app.jwt.sign({ sub: somebody.id }) }));
app.get(
  '/me',
  {
    onRequest: async (request: Request) => request.jwtVerify(),
    schema: { response: { 200: profile } },
  },
  () => somebody,
);
await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' });
