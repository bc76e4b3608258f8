import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import fastify from 'fastify';
import { Hono } from 'hono';
import { generateKeyPair } from 'jose';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { PROOF_ALGORITHMS } from '#src/platform/http/proven-key';
import { protect, type ProtectOptions } from '#src/protect/protect';
import { PROOF_ALGORITHMS as OURS } from '#src/protect/proof-key';
import { password, startApp } from '#test/support/app';
import { keyHolder } from '#test/support/dpop';
import { eventually } from '#test/support/eventually';
import { rawRequest } from '#test/support/raw-socket';
import { secondService } from '#test/support/second-service';

const app = await startApp();
const { ask, auth, ctx, register } = app;
app.startSealing();
const BASE = 'https://api.example.com';
const ALGS = `algs="${PROOF_ALGORITHMS.join(' ')}"`;

afterEach(() => void vi.useRealTimers());

type Wrong = NonNullable<Parameters<Awaited<ReturnType<typeof keyHolder>>['proof']>[3]>;

/** Somebody whose tokens are bound to a key. */
async function bound(alg?: string) {
  const { username, id } = await register();
  const key = await keyHolder(ask, ctx.settings.publicUrl, alg);
  const body = { identifier: username, password };
  const { body: tokens } = await key.ask('POST', '/auth/login', { body });
  const token: string = tokens.accessToken;
  /** A proof for a service. */
  const proof = (path = '/who', { claims = {}, ...wrong }: Wrong = {}, method = 'GET') =>
    key.proof(method, path, token, {
      ...wrong,
      claims: { htu: BASE + path, nonce: undefined, ...claims },
    });
  const headers = async (...given: Parameters<typeof proof>) => ({
    authorization: `DPoP ${token}`,
    dpop: await proof(...given),
  });
  return { ...key, id, username, tokens, token, proof, headers };
}

const guarded = (options: Partial<ProtectOptions> = {}) =>
  secondService(app, { dpop: { url: BASE }, ...options });
type Service = Awaited<ReturnType<typeof guarded>>;
const sends = (service: Service, headers: object, path = '/who') =>
  service.ask(path, undefined, headers);

it('knows the algorithms that the server knows', () => {
  expect(OURS).toEqual(PROOF_ALGORITHMS);
});

describe('a bound token', () => {
  it.each([...PROOF_ALGORITHMS].filter((alg) => alg !== 'Ed25519'))(
    'with a proof of %s lets its user in',
    async (alg) => {
      const [service, ada] = [await guarded(), await bound(alg)];
      for (let i = 0; i < 2; i++) {
        const { status, body } = await sends(service, await ada.headers());
        expect([status, body.id]).toEqual([200, ada.id]);
      }
    },
  );

  it('is refused as Bearer, with and without a proof, and an unbound one as DPoP (Q-07)', async () => {
    const [service, ada, bob] = [await guarded(), await bound(), await register()];
    const bearer = { authorization: `Bearer ${ada.token}` };
    for (const headers of [bearer, { ...bearer, dpop: await ada.proof() }]) {
      const answer = await sends(service, headers);
      expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid']);
      expect(answer.headers.get('www-authenticate')).toBe(
        `DPoP realm="sallyport", error="invalid_token", ${ALGS}`,
      );
      expect(answer.body.detail).toContain('with the scheme DPoP');
    }
    const { dpop } = await ada.headers();
    const answer = await sends(service, { authorization: `DPoP ${bob.token}`, dpop });
    expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid']);
    expect(answer.body.detail).toContain('send it as Bearer');
    expect((await service.ask('/who', bob.token)).status).toBe(200);
    const stranger = await sends(service, {});
    expect(stranger.headers.get('www-authenticate')).toBe(
      `DPoP realm="sallyport", ${ALGS}, Bearer realm="sallyport"`,
    );
  });

  it('is refused without the option, which the answer names (Q-07)', async () => {
    const [service, ada] = [await secondService(app), await bound()];
    for (const headers of [
      await ada.headers(),
      { authorization: `Bearer ${ada.token}` },
      { authorization: `Bearer ${ada.token}`, dpop: await ada.proof() },
    ]) {
      const answer = await sends(service, headers);
      expect([answer.status, answer.body.code]).toEqual([401, 'token_invalid']);
      expect(answer.body.detail).toContain('option `dpop`');
      expect(answer.headers.get('www-authenticate')).toBe(
        'Bearer realm="sallyport", error="invalid_token"',
      );
    }
  });

  it('needs a proof that is for this request, and says what is wrong with it (Q-07)', async () => {
    const [service, ada, bob] = [await guarded(), await bound(), await bound()];
    const { privateKey } = await generateKeyPair('ES256');
    const rsa = await bound('RS256');
    const short = { kty: 'oct', k: 'x'.repeat(43) };
    const claims = (given: object): Wrong => ({ claims: { ...given } });
    const header = (given: object): Wrong => ({ header: { ...given } });
    const seconds = () => Math.floor(Date.now() / 1000);
    const cases: [Wrong, says: string][] = [
      [claims({ htm: 'POST' }), '`htm`'],
      [claims({ htm: 'get' }), '`htm`'],
      [claims({ htu: `${BASE}/desk` }), '`htu`'],
      [claims({ htu: `${BASE}/who/` }), '`htu`'],
      [claims({ htu: `http://api.example.com/who` }), '`htu`'],
      [claims({ htu: 'https://evil.example/who' }), '`htu`'],
      [claims({ htu: `${service.url}/who` }), '`htu`'],
      [claims({ htu: '/who' }), '`htu`'],
      [claims({ htu: [`${BASE}/who`] }), '`htu`'],
      [claims({ ath: undefined }), '`ath`'],
      [claims({ ath: 'x'.repeat(43) }), '`ath`'],
      [claims({ jti: undefined }), '`jti`'],
      [claims({ jti: '' }), '`jti`'],
      [claims({ jti: 'x'.repeat(257) }), '`jti`'],
      [claims({ iat: undefined }), '`iat`'],
      [claims({ iat: 'now' }), '`iat`'],
      [claims({ iat: seconds() - 61 }), 'is behind'],
      [claims({ iat: seconds() + 30 }), 'is ahead'],
      [claims({ iat: 1e300 }), 'is ahead'],
      [header({ typ: 'JWT' }), '`typ`'],
      [header({ crit: ['exp'], exp: 1 }), '`crit`'],
      [header({ jwk: ada.secretJwk }), 'private part'],
      [header({ jwk: { ...ada.jwk, d: '' } }), 'private part'],
      [header({ jwk: undefined }), 'no public key'],
      [header({ jwk: [] }), 'no public key'],
      [header({ jwk: { ...ada.jwk, x: 'AAAA' } }), 'no public key'],
      [header({ jwk: rsa.jwk }), 'no public key'],
      [header({ jwk: bob.jwk }), 'Its key'],
      [header({ jwk: short, alg: 'HS256' }), 'algorithm'],
      [{ signWith: privateKey }, 'signature'],
    ];
    for (const [wrong, says] of cases) {
      const hmac = Buffer.from('x'.repeat(43), 'base64url');
      // jose refuses to sign with what it does not know: those are put together by hand.
      const dpop = await ada.proof('/who', wrong).catch(async () => {
        const [, payload] = (await ada.proof('/who', { claims: wrong.claims ?? {} })).split('.');
        const head = { typ: 'dpop+jwt', alg: 'ES256', jwk: ada.jwk, ...wrong.header };
        const input = `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${payload}`;
        return `${input}.${hmac.toString('base64url')}`;
      });
      const { status, body, headers } = await sends(service, {
        authorization: `DPoP ${ada.token}`,
        dpop,
      });
      expect([status, body.code], says).toEqual([401, 'invalid_dpop_proof']);
      expect(body.detail).toContain(says);
      expect(headers.get('www-authenticate')).toBe(
        `DPoP realm="sallyport", error="invalid_dpop_proof", ${ALGS}`,
      );
    }
    const right = await ada.proof();
    const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [head, payload, signature] = right.split('.') as [string, string, string];
    for (const dpop of [
      `${coded({ typ: 'dpop+jwt', alg: 'none', jwk: ada.jwk })}.${payload}.`,
      `${coded({ typ: 'dpop+jwt', alg: 'toString', jwk: ada.jwk })}.${payload}.${signature}`,
      `${head}.${payload}.${signature.slice(0, -4)}`,
      `${head}.${payload}`,
      `${coded([])}.${payload}.${signature}`,
      'x',
      '',
      'x'.repeat(6000),
      `${right}, ${right}`,
    ]) {
      const { body } = await sends(service, { authorization: `DPoP ${ada.token}`, dpop });
      expect(body.code, dpop.slice(0, 50)).toBe('invalid_dpop_proof');
    }
    const none = await sends(service, { authorization: `DPoP ${ada.token}` });
    expect(none.body).toMatchObject({ code: 'invalid_dpop_proof' });
    expect(none.body.detail).toContain('missing');
    const ok = await sends(service, { authorization: `DPoP ${ada.token}`, dpop: right });
    expect(ok.status).toBe(200);
  });

  it('is for the public address of the service, whatever Host, target and headers of proxies say (Q-07)', async () => {
    const [service, ada] = [await guarded(), await bound()];
    const asked = async (target: string, htu: string, more: string[] = []) => {
      const { dpop } = await ada.headers('/who', { claims: { htu } });
      const lines = [`Authorization: DPoP ${ada.token}`, `DPoP: ${dpop}`, ...more];
      const bytes = `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
      return (await rawRequest(service.url, bytes)).answers[0]!.status;
    };
    const evil = 'https://evil.example';
    const hosts = ['Host: evil.example', 'X-Forwarded-Host: evil.example', 'Forwarded: host=e.x'];
    expect(await asked('/who', `${BASE}/who`, hosts)).toBe(200);
    expect(await asked('/who?page=2', `${BASE}/who`, hosts)).toBe(200);
    expect(await asked('/who', `${BASE}/who?x#y`, hosts)).toBe(200);
    expect(await asked('/who', 'HTTPS://API.example.com:443/who', hosts)).toBe(200);
    expect(await asked(`${evil}/who`, `${BASE}/who`, hosts)).toBe(200);
    for (const target of ['/who', `${evil}/who`])
      expect(await asked(target, `${evil}/who`, hosts)).toBe(401);
  });

  it('may be for an address with a path that a proxy takes off', async () => {
    const service = await guarded({ dpop: { url: `${BASE}/billing/` } });
    const ada = await bound();
    const htu = `${BASE}/billing/who`;
    expect((await sends(service, await ada.headers('/who', { claims: { htu } }))).status).toBe(200);
    expect((await sends(service, await ada.headers())).status).toBe(401);
  });

  it('is let in once with one proof, also when requests come together (Q-07)', async () => {
    const [service, ada] = [await guarded(), await bound()];
    const headers = await ada.headers();
    const answers = await Promise.all(Array.from({ length: 5 }, () => sends(service, headers)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const again = await sends(service, headers);
    expect(again.body).toMatchObject({ code: 'invalid_dpop_proof', detail: 'It was used before' });
    // The same proof in another spelling.
    const [head, payload, signature] = headers.dpop.split('.');
    const padded = { ...headers, dpop: `${head}.${payload}.${signature}==` };
    expect((await sends(service, padded)).status).toBe(401);
    // The id alone is nothing: another client may have the same.
    const [bob, jti] = [await bound(), randomUUID()];
    for (const each of [ada, bob])
      expect((await sends(service, await each.headers('/who', { claims: { jti } }))).status).toBe(
        200,
      );
  });

  it('is refused after the sign-out, and a lost role (V-01)', async () => {
    const [service, ada] = [await guarded(), await bound()];
    expect((await sends(service, await ada.headers())).status).toBe(200);
    expect((await sends(service, await ada.headers('/desk'), '/desk')).status).toBe(403);
    await ask('POST', '/auth/logout', { body: { refreshToken: ada.tokens.refreshToken } });
    await eventually(async () => {
      expect((await sends(service, await ada.headers())).body.code).toBe('session_ended');
    });
  });

  it('lets nobody in if introspection names another key, or none (Q-07)', async () => {
    const [ada, bob] = [await bound(), await bound()];
    const truth = await guarded();
    expect((await sends(truth, await ada.headers())).status).toBe(200);
    for (const cnf of [undefined, { jkt: bob.jwk.x }]) {
      const service = await guarded();
      service.proxy.fault('/oauth/introspect', async (forward) => {
        const answer = await forward();
        return { ...answer, body: JSON.stringify({ ...JSON.parse(answer.body), cnf }) };
      });
      const { status, body } = await sends(service, await ada.headers());
      expect([status, body.code]).toEqual([503, 'unavailable']);
    }
  });
});

describe('with nonces', () => {
  const dpop = { url: BASE, nonces: true };

  it('the first proof is told one, and each answer has the next', async () => {
    const [service, ada] = [await guarded({ dpop }), await bound()];
    const first = await sends(service, await ada.headers());
    expect([first.status, first.body.code]).toEqual([401, 'use_dpop_nonce']);
    expect(first.headers.get('www-authenticate')).toBe(
      `DPoP realm="sallyport", error="use_dpop_nonce", ${ALGS}`,
    );
    const nonce = first.headers.get('dpop-nonce')!;
    const days = { nonce, iat: Math.floor(Date.now() / 1000) + 2 * 86_400 };
    const second = await sends(service, await ada.headers('/who', { claims: days }));
    expect(second.status).toBe(200);
    expect(second.headers.get('dpop-nonce')).toMatch(/^[\w-]{27}$/);
    const refused = await sends(service, await ada.headers('/desk', { claims: days }), '/desk');
    expect([refused.status, refused.headers.has('dpop-nonce')]).toEqual([403, true]);
  });

  it('takes those of its other instances, for five minutes, and no others (Q-07)', async () => {
    const ada = await bound();
    const made = await auth.services.create({
      name: `twin-${app.unusedName()}`,
      scopes: ['introspect', 'changes'],
    });
    const twin = () => guarded({ dpop, service: { id: made.service.id, secret: made.secret } });
    const [one, two, other] = [await twin(), await twin(), await guarded({ dpop })];
    const nonceOf = async (service: Service) =>
      (await sends(service, {})).headers.get('dpop-nonce')!;
    const nonce = await nonceOf(one);
    const sent = async (service: Service, value: unknown) =>
      (await sends(service, await ada.headers('/who', { claims: { nonce: value } }))).body;
    expect((await sent(two, nonce)).id).toBe(ada.id);
    for (const wrong of [await nonceOf(other), ada.known.nonce, `${nonce}A`, '', 7, 'A'.repeat(27)])
      expect((await sent(one, wrong)).code).toBe('use_dpop_nonce');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect((await sent(one, nonce)).code).toBe('use_dpop_nonce');
  });
});

describe('verify', () => {
  it('takes requests of Fastify, Hono and plain Node', async () => {
    const ada = await bound();
    const { verify } = await guarded({ dpop: { url: BASE, nonces: true } });
    const f = fastify();
    f.get('/who', async (request, reply) => {
      const { principal, headers, problem } = await verify(request);
      if (problem) return reply.code(problem.status).headers(problem.headers).send(problem.body);
      return reply.headers(headers).send({ id: principal.id });
    });
    onTestFinished(() => f.close());
    const fastifyUrl = await f.listen({ host: '127.0.0.1', port: 0 });
    const h = new Hono();
    h.get('/who', async (c) => {
      const { principal, headers, problem } = await verify(c.req.raw);
      if (problem) return c.json(problem.body, problem.status as 401, problem.headers);
      return c.json({ id: principal.id }, 200, headers);
    });
    const plain = createServer(async (req, res) => {
      const { principal, headers, problem } = await verify(req);
      res.writeHead(problem?.status ?? 200, problem?.headers ?? headers);
      res.end(JSON.stringify(problem?.body ?? { id: principal!.id }));
    });
    await new Promise<void>((done) => void plain.listen(0, '127.0.0.1', done));
    onTestFinished(() => void plain.close());
    const { port } = plain.address() as { port: number };
    for (const asked of [
      (headers: Record<string, string>) => fetch(`${fastifyUrl}/who?x=1`, { headers }),
      (headers: Record<string, string>) => h.request('http://evil.example/who?x=1', { headers }),
      (headers: Record<string, string>) => fetch(`http://127.0.0.1:${port}/who`, { headers }),
    ]) {
      const first = await asked(await ada.headers());
      expect(first.status).toBe(401);
      const nonce = first.headers.get('dpop-nonce');
      const second = await asked(await ada.headers('/who', { claims: { nonce } }));
      expect([second.status, await second.json()]).toEqual([200, { id: ada.id }]);
      expect(second.headers.has('dpop-nonce')).toBe(true);
    }
  });

  it('lets nobody in whose method and address it is not given', async () => {
    const [{ verify }, ada] = [await guarded(), await bound()];
    const headers = await ada.headers();
    const { problem } = await verify({ headers });
    expect(problem?.body.code).toBe('invalid_dpop_proof');
    expect((await verify({ headers, method: 'GET', url: '/who' })).principal?.id).toBe(ada.id);
  });
});

it.each([
  [{ url: 'api.example.com' }, 'dpop.url must be'],
  [{ url: `${BASE}?x` }, 'dpop.url must be'],
  [{}, 'dpop.url must be'],
  [{ url: BASE, nonces: 1 }, 'dpop.nonces must be'],
  [{ url: BASE, nonce: true }, 'dpop.nonce is not an option'],
])('refuses the option %o', (dpop, message) => {
  const service = { id: 'x', secret: 'y' };
  expect(() => protect({ issuer: BASE, service, dpop: dpop as { url: string } })).toThrow(message);
});
