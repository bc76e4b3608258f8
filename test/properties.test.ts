import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLog } from '#src/platform/log';
import { createRequestContext } from '#src/platform/request-context';
import { startApp } from '#test/support/app';
import { CANARY, nastyText, nastyValue } from '#test/support/fuzz/values';
import { root } from '#test/support/process';
import { runs } from '#test/support/properties';

const { ask, register, routes } = await startApp({ API_KEYS: 'on' });
await register({}, 'admin');

it('lets nobody do more with fewer roles, and strangers least', async () => {
  const all = ['user', 'moderator', 'admin'];
  const people = new Map<string, string>();
  for (const roles of [[], ['moderator'], ['admin'], ['moderator', 'admin']])
    people.set(['user', ...roles].join(), (await register({}, ...roles)).token);
  const isLetIn = async ({ method, path }: (typeof routes)[number], token?: string) => {
    const target = `${path.replaceAll(/:\w+/g, '0197a000-0000-7000-8000-000000000000')}?surplus=1`;
    const { status } = await ask(method.toUpperCase(), target, token ? { token } : {});
    return status !== 401 && status !== 403;
  };
  const more = fc.subarray(all.slice(1)).map((roles) => ['user', ...roles]);
  const pairs = more.chain((roles) =>
    fc.tuple(
      fc.constant(roles),
      fc.subarray(roles.slice(1)).map((fewer) => ['user', ...fewer]),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...routes), pairs, async (route, [roles, fewer]) => {
      const [many, few] = [people.get(roles.join())!, people.get(fewer.join())!];
      if (await isLetIn(route)) expect(await isLetIn(route, few)).toBe(true);
      if (await isLetIn(route, few)) expect(await isLetIn(route, many)).toBe(true);
    }),
    runs(),
  );
});

it('logs one line of JSON without the secrets of an error, whatever is logged', () => {
  const lines: string[] = [];
  const log = createLog('debug', createRequestContext(), {
    write: (line) => void lines.push(line),
  });
  const line = { requestId: 'a', method: 'GET', status: 200, ms: 1, ip: '::1' };
  fc.assert(
    fc.property(nastyText, nastyValue, (text, value) => {
      lines.length = 0;
      const path = text.replaceAll(CANARY, '');
      const message = path;
      log.writeRequest!({ ...line, path });
      log.error(
        { err: Object.assign(new Error(message), { sql: CANARY, parameters: [value, CANARY] }) },
        message,
      );
      expect(lines).toHaveLength(2);
      for (const each of lines) {
        expect(each.indexOf('\n')).toBe(each.length - 1);
        expect(() => JSON.parse(each) as unknown).not.toThrow();
        expect(each).not.toContain(CANARY);
      }
    }),
    runs(),
  );
});

it('has a test for each of the properties that test/README.md lists', () => {
  const readme = readFileSync(join(root, 'test/README.md'), 'utf8');
  const rows = [...readme.matchAll(/^\| (\d+) \| [^|]+ \| `([^`]+)` \| ([^|]+) \|$/gm)];
  expect(rows.map(([, number]) => Number(number))).toEqual(
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  for (const [, , file, name] of rows) {
    const path = join(root, 'test', file!);
    expect(existsSync(path), file).toBe(true);
    expect(readFileSync(path, 'utf8'), file).toContain(name!.trim());
  }
});
