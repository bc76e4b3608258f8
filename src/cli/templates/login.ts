/** What `strategy new --kind login` writes. */
export const login = {
  settings: ['URL'],
  file: `import { z } from 'zod';
import { Problem } from '#src/core/problem';
import { custom, defineStrategy } from '#src/http/strategy';
import { DeviceInput } from '#src/sessions/device';

/** How long the other service may take, in milliseconds. The server waits for three seconds. */
const PATIENCE = 2000;
/** What it says of somebody. */
const Person = z.object({ id: z.union([z.string(), z.number()]), name: z.string().optional() });

/** Signs in whoever another service knows: it is asked with the same name and password, and answers who that is, or 401. */
export default defineStrategy({
  name: '{name}', // as the file is called
  kind: 'login', // JSON in, tokens out: POST /auth/{name}
  summary: 'Sign in with {name}',
  // Its own settings. Without them it is off.
  env: z.object({
    {PREFIX}_URL: z.url({ protocol: /^https?$/ }).describe('Where {name} says who a name and a password belong to.'),
  }),
  // What a client may send, and how long it may be. Other fields are refused.
  credentials: z.strictObject({
    username: z.string().min(1).max(256),
    password: z.string().min(1).max(1024),
    device: DeviceInput.optional(),
  }),
  create: ({ env, userOf }) =>
    custom(async (req) => {
      const { username, password } = req.body as { username: string; password: string };
      const answer = await fetch(env.{PREFIX}_URL, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ username, password }),
        redirect: 'error',
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (answer.status === 401) return null; // not you
      // Not now. Whatever else is thrown means that we broke: the client hears 500.
      if (!answer.ok) throw new Problem('unavailable', { cause: new Error('{name} answered ' + answer.status) });
      const { id, name } = Person.parse(await answer.json());
      // The server finds this person by the subject, or makes a user for them. Not by their name: names change hands.
      return userOf({ subject: id, username, name });
    }),
});
`,
  test: `import { once } from 'node:events';
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { afterAll, describe, it } from 'vitest';
import { strategyConformance } from '#src/http/conformance';
import strategy from '#strategies/{name}';

/** The other service, as it should answer. Put the real one, or one of your own for tests, in its place. */
const people = new Map([
  ['ada correct horse battery', { id: 1, name: 'Ada' }],
  ['bob correct horse battery', { id: 2, name: 'Bob' }],
]);
const service = createServer(async (req, res) => {
  const { username, password } = JSON.parse(await text(req)) as Record<string, string>;
  const person = people.get(username + ' ' + password);
  res.writeHead(person ? 200 : 401, { 'Content-Type': 'application/json' }).end(JSON.stringify(person ?? {}));
}).listen(0, '127.0.0.1');
await once(service, 'listening');
afterAll(() => {
  service.closeAllConnections();
  service.close();
});

const sent = (username: string, password: string) => ({ body: { username, password } });

describe('strategies/{name}', () => {
  const checks = strategyConformance(strategy, {
    env: { {PREFIX}_URL: 'http://127.0.0.1:' + (service.address() as AddressInfo).port },
    good: [sent('ada', 'correct horse battery'), sent('bob', 'correct horse battery')],
    bad: [sent('ada', 'incorrect horse battery'), sent('nobody', 'correct horse battery')],
  });
  it.each(checks)('$name', ({ run }) => run());
});
`,
};
