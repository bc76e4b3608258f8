import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { startApp } from '#test/support/app';
import { root } from '#test/support/process';

const run = promisify(execFile);
const read = (file: string) => readFileSync(join(root, file), 'utf8');
const dockerfile = read('Dockerfile');
const app = await startApp();

/** The health check of the Dockerfile, run against a port of this machine. */
async function health(port: number): Promise<boolean> {
  const [, json] = /^HEALTHCHECK .*\\\n\s+CMD (\[.*\])$/m.exec(dockerfile)!;
  const [command, ...words] = JSON.parse(json!) as string[];
  const env = { PATH: process.env['PATH'], PORT: String(port) };
  return run(command!, words, { env, timeout: 60_000 }).then(
    () => true,
    () => false,
  );
}

it('the health check says yes to a server, and no to everything else, without a second Node', async () => {
  expect(await health(Number(new URL(app.url).port))).toBe(true);
  const other = createServer((socket) =>
    socket.on('error', () => {}).end('HTTP/1.1 503 no\r\n\r\n'),
  ).listen(0);
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  expect(await health(port)).toBe(false);
  expect(await health(1)).toBe(false);
  expect(/^HEALTHCHECK.*\n.*$/m.exec(dockerfile)![0]).not.toMatch(/\bnode\b/);
});

it('the image runs as a user of its own and declares what it writes', () => {
  expect(dockerfile).toMatch(/^USER node$/m);
  expect(dockerfile).toMatch(/^VOLUME \/app\/data$/m);
});

it('compose.yaml is YAML, drops privileges, keeps data, and logs no password', () => {
  const { services, volumes } = parse(read('compose.yaml'));
  expect(services.server).toMatchObject({
    read_only: true,
    cap_drop: ['ALL'],
    security_opt: ['no-new-privileges:true'],
    env_file: '.env',
    volumes: ['data:/app/data'],
    environment: {
      TRUST_PROXY: expect.any(String),
      SMTP_URL: expect.any(String),
      MAIL_FROM: expect.any(String),
    },
    ports: ['127.0.0.1:3000:3000'],
  });
  expect(Object.keys(volumes)).toEqual(['data', 'mysql']);
  expect(services.mysql.environment).not.toHaveProperty('MYSQL_RANDOM_ROOT_PASSWORD');
  const [, check] = services.mysql.healthcheck.test as string[];
  expect(check).not.toMatch(/ -p|--password/);
  // Compose turns $$ into $. The shell must be able to read the line.
  expect(spawnSync('sh', ['-n', '-c', check!.replaceAll('$$', '$')]).status).toBe(0);
});
