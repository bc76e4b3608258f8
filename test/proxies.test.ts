import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { password, startApp } from '#test/support/app';
import { clientOf } from '#test/support/client';
import { eventually } from '#test/support/eventually';
import { emptyFolder, root } from '#test/support/process';

const page = readFileSync(join(root, 'docs/operating.md'), 'utf8');
const exampleOf = (language: string) =>
  new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(page)![1]!;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The examples of docs/operating.md as they stand, but for names, ports and TLS. */
const proxies: [string, (port: number, upstream: string, folder: string) => [string, string[]]][] =
  [
    [
      'nginx',
      (port, upstream, folder) => {
        const site = exampleOf('nginx')
          .replace('listen 443 ssl;', `listen 127.0.0.1:${port};`)
          .replaceAll(/^ *ssl_.*$/gm, '')
          .replace('127.0.0.1:3000', upstream);
        const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
          .map((name) => `${name}_temp_path ${folder}/${name};`)
          .join('\n');
        const file = join(folder, 'nginx.conf');
        writeFileSync(
          file,
          `pid ${folder}/pid; error_log stderr; daemon off; master_process off;\nevents {}\nhttp {\naccess_log off;\n${temporary}\n${site}}\n`,
        );
        return ['nginx', ['-p', folder, '-c', file]];
      },
    ],
    [
      'caddy',
      (port, upstream, folder) => {
        const site = exampleOf('caddyfile')
          .replace('auth.example.com', `http://127.0.0.1:${port}`)
          .replace('127.0.0.1:3000', upstream);
        const file = join(folder, 'Caddyfile');
        writeFileSync(file, `{\n  admin off\n}\n${site}`);
        return ['caddy', ['run', '--adapter', 'caddyfile', '--config', file]];
      },
    ],
  ];

describe.each(proxies)('%s, as docs/operating.md has it', (_name, configure) => {
  it('passes on what the server needs, and believes no client', async () => {
    const app = await startApp({ TRUST_PROXY: '1', PUBLIC_URL: 'https://auth.example.com' });
    const [port, folder] = [await freePort(), emptyFolder()];
    const [command, words] = configure(port, new URL(app.url).host, folder);
    const env = { PATH: `${process.env['PATH']}:/usr/sbin`, HOME: folder };
    const child = spawn(command, words, { cwd: folder, env, stdio: 'ignore' });
    onTestFinished(async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null) await once(child, 'close');
    });
    const ask = clientOf(`http://127.0.0.1:${port}`);
    await eventually(async () => expect((await ask('GET', '/livez')).status).toBe(200));

    const body = { username: 'ada', password };
    const headers = { 'x-forwarded-for': '203.0.113.7', 'x-request-id': 'mine' };
    const {
      status,
      body: tokens,
      headers: sent,
    } = await ask('POST', '/auth/register', { body, headers });
    expect([status, sent.get('x-request-id')]).toEqual([201, 'mine']);
    const token: string = tokens.accessToken;
    const { body: sessions } = await ask('GET', '/me/sessions', { token });
    expect(sessions.data.map(({ ip }: { ip: string }) => ip)).toEqual(['127.0.0.1']);

    const large = await ask('POST', '/auth/login', { body: { identifier: 'x'.repeat(20_000) } });
    expect([large.status, large.body.code]).toEqual([413, 'payload_too_large']);
    const huge = await fetch(`http://127.0.0.1:${port}/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ identifier: 'x'.repeat(200_000) }),
    });
    expect([413, 502]).toContain(huge.status); // 502: the server hung up while the proxy was still sending
  });
});
