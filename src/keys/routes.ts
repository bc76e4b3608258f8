import { z } from 'zod';
import type { Context } from '#src/context';
import { publicKeys } from '#src/keys/keyring';
import { lifetimes } from '#src/lifetimes';
import { get, type Route } from '#src/platform/http/route';

const text = z.string().optional();
const Jwk = z
  .object({
    kty: z.string(),
    use: z.string(),
    alg: z.string(),
    kid: z.string(),
    crv: text,
    x: text,
    y: text,
    n: text,
    e: text,
  })
  .meta({ id: 'Jwk', description: 'RFC 7517.' });
const JwkSet = z.object({ keys: z.array(Jwk) }).meta({ id: 'JwkSet' });

export const keyRoutes = (ctx: Context): Route[] => [
  get(
    '/.well-known/jwks.json',
    [],
    {
      operationId: 'getJwks',
      tag: 'Operations',
      summary: 'Get the keys that sign access tokens',
      description:
        'For a service that checks access tokens by itself. ' +
        'It does not learn when a session ends. ' +
        'Check `typ: at+jwt`, `iss` and `aud`, too (RFC 9068 §4).',
      returns: JwkSet,
    },
    (_req, res) => {
      res.setHeader('Cache-Control', `public, max-age=${lifetimes.publicKeysSeconds}`);
      return { keys: publicKeys(ctx) as z.input<typeof Jwk>[] };
    },
  ),
];
