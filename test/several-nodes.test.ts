import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { password, startApp, testSecret } from '#test/support/app';
import { clientOf } from '#test/support/client';
import { eventually } from '#test/support/eventually';
import { freePort } from '#test/support/mysql';
import { emptyFolder, root, settingsFor, startProcess } from '#test/support/process';

const text = readFileSync(join(root, 'compose.cluster.yaml'), 'utf8');
const { services, configs, volumes } = parse(text, { merge: true });
const SERVERS = ['server1', 'server2', 'server3'];
const NODES = ['galera1', 'galera2', 'galera3'];
const [server] = SERVERS.map((name) => services[name]);

describe('compose.cluster.yaml', () => {
  it('starts three servers with one secret, each with its own database node first', () => {
    for (const [i, name] of SERVERS.entries()) {
      const { environment, ...service } = services[name];
      const { environment: first, ...same } = server;
      expect(service).toEqual(same);
      expect(environment).toEqual({ ...first, DATABASE_URL: environment.DATABASE_URL });
      const filled = Object.entries({ ...environment, APP_SECRET: testSecret() }).map(
        ([key, value]) => [
          key,
          String(value)
            .replace(/\$\{MYSQL_PASSWORD[^}]*\}/, 'a-password')
            .replace(/\$\{\w+:-([^}]*)\}/, '$1'),
        ],
      );
      const settings = parseSettings(settingsFrom(Object.fromEntries(filled)));
      const hosts = new RegExp(`@${NODES[i]},galera\\d,galera\\d/sallyport$`);
      expect(settings.databaseUrl).toMatch(hosts);
      expect(new Set(settings.databaseUrl.match(/galera\d/g)).size).toBe(3);
      expect(settings.trustProxy).toBe(1);
    }
  });

  it('shows nothing but the proxy, on loopback, and keeps data of the databases alone', () => {
    const published = Object.entries<{ ports?: string[] }>(services).filter(
      ([, { ports }]) => ports,
    );
    expect(published.map(([name, { ports }]) => [name, ports])).toEqual([
      ['proxy', ['127.0.0.1:3000:3000']],
    ]);
    expect(Object.keys(volumes)).toEqual(NODES);
    expect(server).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
    for (const name of Object.keys(services))
      expect(services[name].security_opt).toEqual(['no-new-privileges:true']);
  });
});

describe('the lines that start a database node', () => {
  /** Runs them as the container does, up to the program of the image, whose words it answers. */
  function started(hostname: string, state?: string) {
    const folder = emptyFolder();
    const program = (name: string, line: string) =>
      writeFileSync(join(folder, name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
    program('docker-entrypoint.sh', String.raw`printf '%s\n' "$@"`);
    program('hostname', `echo ${hostname}`);
    const grastate = join(folder, 'grastate.dat');
    if (state) writeFileSync(grastate, `# GALERA saved state\nversion: 2.1\n${state}\n`);
    const [shell, flags, lines] = services.galera1.entrypoint as [string, string, string];
    const { status, stdout, stderr } = spawnSync(shell, [flags, lines.replaceAll('$$', '$')], {
      encoding: 'utf8',
      env: {
        PATH: `${folder}:${process.env['PATH']}`,
        STATE: grastate,
        OPTIONS: join(folder, 'transfer.cnf'),
        MARIADB_ROOT_PASSWORD: 'canary',
      },
    });
    expect(status, stderr).toBe(0);
    expect(stdout).not.toContain('canary');
    expect(readFileSync(join(folder, 'transfer.cnf'), 'utf8')).toBe(
      '[mariadbd]\nwsrep_sst_auth=root:canary\n',
    );
    const [command, ...words] = stdout.trim().split('\n');
    expect(command).toBe('mariadbd');
    return words;
  }

  it.each([
    ['a new first node makes the cluster', 'galera1', undefined, true],
    ['a new node joins', 'galera2', undefined, false],
    ['the first node joins the others again', 'galera1', 'safe_to_bootstrap: 0', false],
    ['the node that was stopped last makes it again', 'galera3', 'safe_to_bootstrap: 1', true],
  ])('%s', (_, hostname, state, makes) => {
    const words = started(hostname, state);
    expect(words.includes('--wsrep-new-cluster')).toBe(makes);
    expect(words).toContain(`--wsrep-node-name=${hostname}`);
  });

  it.skipIf(spawnSync('which', ['mariadbd']).status !== 0)('name options that there are', () => {
    const known = (words: string[]) =>
      spawnSync('mariadbd', ['--no-defaults', ...words, '--verbose', '--help']).status;
    expect(known(started('galera1'))).toBe(0);
    expect(known(['--wsrep-no-such-option=1'])).not.toBe(0);
  });
});

it('the proxy passes on to servers that are ready, and to no other', async () => {
  const app = await startApp({ TRUST_PROXY: '1' });
  const same = settingsFor(app.databaseUrl, { APP_SECRET: app.env.APP_SECRET, TRUST_PROXY: '1' });
  const others = await Promise.all([startProcess(same), startProcess(same)]);
  const addresses = [app, ...others].map(({ url }) => new URL(url).host);
  const [port, folder] = [await freePort(), emptyFolder()];
  const file = join(folder, 'Caddyfile');
  const site = SERVERS.reduce(
    (config, name, i) => config.replace(`${name}:3000`, addresses[i]!),
    (configs.caddyfile.content as string).replace('http://:3000', `http://127.0.0.1:${port}`),
  );
  writeFileSync(file, `{\n  admin off\n}\n${site}`);
  const child = spawn('caddy', ['run', '--adapter', 'caddyfile', '--config', file], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder },
    stdio: 'ignore',
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null) await once(child, 'close');
  });
  const ask = clientOf(`http://127.0.0.1:${port}`);
  await eventually(async () => expect((await ask('GET', '/livez')).status).toBe(200));
  const { status, body } = await ask('POST', '/auth/register', {
    body: { username: 'ada', password },
  });
  expect(status).toBe(201);
  const token: string = body.accessToken;
  let here = 0;
  app.server.on('request', ({ url }: { url: string }) => void (here += url === '/me' ? 1 : 0));
  const askMany = async () => {
    here = 0;
    for (let i = 0; i < 30; i++) expect((await ask('GET', '/me', { token })).status).toBe(200);
    return here;
  };
  expect(await askMany()).toBeGreaterThan(0);

  // Not ready, as a server without its database, and open for connections.
  app.ctx.health.draining = true;
  await eventually(async () => expect(await askMany()).toBe(0));
  app.ctx.health.draining = false;
  await eventually(async () => expect(await askMany()).toBeGreaterThan(0));

  // Gone. Those that have no connection to it yet are not even told.
  await Promise.all(others.map(({ kill }) => kill()));
  await eventually(async () => expect(await askMany()).toBe(30));
});
