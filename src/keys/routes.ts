import { z } from 'zod';
import { get } from '#src/http/route';
import { publicKeys } from '#src/keys/keys';
import { CACHE_LIFE } from '#src/keys/life';

const text = z.string().optional();
const Jwk = z
  .object({ kty: z.string(), use: z.string(), alg: z.string(), kid: z.string(), crv: text, x: text, y: text, n: text, e: text })
  .meta({ id: 'Jwk', description: 'RFC 7517.' });

export default [
  get(
    '/.well-known/jwks.json',
    [],
    {
      tag: 'For other services',
      summary: 'The keys that sign access tokens',
      description:
        'For a service that checks access tokens by itself: it will not hear when a session ends. Take `typ: at+jwt`, `iss` and `aud` into account (RFC 9068 §4).',
      returns: z.object({ keys: z.array(Jwk) }),
    },
    (_req, res) => {
      res.setHeader('Cache-Control', `public, max-age=${CACHE_LIFE}`);
      return { keys: publicKeys() as z.input<typeof Jwk>[] };
    },
  ),
];
