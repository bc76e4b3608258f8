/** What `strategy new --kind bearer` writes. */
export const bearer = {
  settings: ['KEY'],
  file: `import { createHash, timingSafeEqual } from 'node:crypto';
import { z } from 'zod';
import { Problem } from '#src/core/problem';
import { custom, defineStrategy } from '#src/http/strategy';

const digest = (text: string) => createHash('sha256').update(text).digest();

/** Lets in one script that knows a key. */
export default defineStrategy({
  name: '{name}', // as the file is called
  kind: 'bearer', // asked on every request that is not for everybody
  summary: 'A key in the header X-{name}-Key',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_KEY: z.string().min(32).describe('Key of {name}: make one with \`openssl rand -base64 32\`.'),
  }),
  // How clients send it (OpenAPI).
  scheme: { type: 'apiKey', in: 'header', name: 'X-{name}-Key', description: 'From whoever runs this server.' },
  create: ({ env, userOf }) =>
    custom(async (req) => {
      const key = req.get('x-{name}-key');
      if (key === undefined) return null; // not ours: the next strategy is asked
      // Digests are of one length, and compared in equal time.
      if (!timingSafeEqual(digest(key), digest(env.{PREFIX}_KEY))) throw new Problem('token_invalid');
      // The server finds this user by the subject, or makes one. Give it roles with \`npm run cli -- role grant\`.
      return userOf({ subject: 'the only one', username: '{name}' });
    }),
});
`,
  test: `import { describe, it } from 'vitest';
import { strategyConformance } from '#src/http/conformance';
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
