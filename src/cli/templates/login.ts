/** What `strategy new --kind login` writes. */
export const login = {
  settings: ['URL'],
  file: `import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';

/** Timeout of the other service, in milliseconds. The server waits for three seconds. */
const TIMEOUT_MS = 2000;
/** What the other service says about a user. */
const Person = z.object({ id: z.union([z.string(), z.number()]), name: z.string().optional() });

/**
 * Signs in the users of another service. It gets the same name and password, and answers who that
 * is, or 401.
 */
export default defineStrategy({
  name: '{name}', // same as the file
  kind: 'login', // JSON in, tokens out: POST /auth/{name}
  summary: 'Sign in with {name}',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_URL: z
      .url({ protocol: /^https?$/ })
      .describe('Address at which {name} checks a name and a password.'),
  }),
  // What a client may send, and how long it may be. Other fields are refused.
  credentials: z.strictObject({
    username: z.string().min(1).max(256),
    password: z.string().min(1).max(1024),
    device: DeviceInput.optional(),
  }),
  create: ({ env, resolveUser }) =>
    custom(async (req) => {
      const { username, password } = req.body as { username: string; password: string };
      const answer = await fetch(env.{PREFIX}_URL, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username, password }),
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.status === 401) return null; // refused
      // Unavailable: the client gets 503. For anything else that is thrown it gets 500.
      if (!answer.ok)
        throw new Problem('unavailable', {
          cause: new Error('The service of {name} answered ' + answer.status),
        });
      const { id, name } = Person.parse(await answer.json());
      // The server finds the user of this subject, or creates one. Do not use the name as subject:
      // names pass to other people.
      return resolveUser({ subject: id, username, name });
    }),
});
`,
  test: `import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, describe, it } from 'vitest';
import { strategyConformance } from '#src/strategy-kit/conformance';
import strategy from '#strategies/{name}';

/** A stand-in for the other service. Replace it by the real one, or by your own. */
const people = new Map([
  ['ada correct horse battery', { id: 1, name: 'Ada' }],
  ['bob correct horse battery', { id: 2, name: 'Bob' }],
]);
const service = createServer(async (req, res) => {
  const { username, password } = JSON.parse(await text(req)) as Record<string, string>;
  const person = people.get(username + ' ' + password);
  res
    .writeHead(person ? 200 : 401, { 'Content-Type': 'application/json' })
    .end(JSON.stringify(person ?? {}));
}).listen(0, '127.0.0.1');
await once(service, 'listening');
afterAll(() => {
  service.closeAllConnections();
  service.close();
});

const sample = (username: string, password: string) => ({ body: { username, password } });

describe('strategies/{name}', () => {
  const checks = strategyConformance(strategy, {
    env: { {PREFIX}_URL: 'http://127.0.0.1:' + (service.address() as AddressInfo).port },
    good: [sample('ada', 'correct horse battery'), sample('bob', 'correct horse battery')],
    bad: [sample('ada', 'incorrect horse battery'), sample('nobody', 'correct horse battery')],
  });
  it.each(checks)('$name', ({ run }) => run());
});
`,
};
