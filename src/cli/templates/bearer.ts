/** What `strategy new --kind bearer` writes. */
export const bearer = {
  settings: ['KEY'],
  file: `import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Lets in one script that knows a key. */
export default defineStrategy({
  name: '{name}', // same as the file
  kind: 'bearer', // authenticates every request to a route that needs a user
  summary: 'A key in the header X-{name}-Key',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_KEY: z
      .string()
      .min(32)
      .describe('Key of {name}: make one with \`openssl rand -base64 32\`.'),
  }),
  // How clients send it (OpenAPI).
  scheme: {
    type: 'apiKey',
    in: 'header',
    name: 'X-{name}-Key',
    description: 'From the operator of this server.',
  },
  create: ({ env, resolveUser }) =>
    custom(async (req) => {
      const key = req.get('x-{name}-key');
      if (key === undefined) return null; // not ours: the next strategy is asked
      // Digests have one length, so they are compared in constant time.
      if (!timingSafeEqual(digest(key), digest(env.{PREFIX}_KEY)))
        throw new Problem('token_invalid');
      // The server finds the user of this subject, or creates one. To give it roles, run
      // \`npm run cli -- role grant\`.
      return resolveUser({ subject: 'the only one', username: '{name}' });
    }),
});
`,
  test: `import { describe, it } from 'vitest';
import { strategyConformance } from '#src/strategy-kit/conformance';
import strategy from '#strategies/{name}';

const KEY = 'k'.repeat(20) + 'e'.repeat(20);

describe('strategies/{name}', () => {
  const checks = strategyConformance(strategy, {
    env: { {PREFIX}_KEY: KEY },
    good: { headers: { 'X-{name}-Key': KEY } },
    bad: [{ headers: { 'X-{name}-Key': KEY.slice(1) } }, { headers: { 'X-{name}-Key': '' } }],
  });
  it.each(checks)('$name', ({ run }) => run());
});
`,
};
