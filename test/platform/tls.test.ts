import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import { expect, it } from 'vitest';
import { migrate } from '#migrations/index';
import { engine } from '#test/support/database';
import { startPrivateServer } from '#test/support/mysql';

const openssl = (...words: string[]) => execFileSync('openssl', words, { stdio: 'ignore' });

it.runIf(engine === 'mysql' && !process.env['TEST_DATABASE_URL'])(
  'speaks TLS to a database that demands it, and only to one it can trust',
  async () => {
    openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
      '-subj',
      '/CN=test authority',
    );
    openssl(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'key.pem',
      '-out',
      'request.pem',
      '-subj',
      '/CN=localhost',
    );
    writeFileSync('names', 'subjectAltName=DNS:localhost');
    openssl(
      'x509',
      '-req',
      '-in',
      'request.pem',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-out',
      'cert.pem',
      '-extfile',
      'names',
    );
    const here = process.cwd();
    const server = await startPrivateServer([
      `--ssl-ca=${here}/ca.pem`,
      `--ssl-cert=${here}/cert.pem`,
      `--ssl-key=${here}/key.pem`,
    ]);
    try {
      const admin = await createConnection(server.url);
      await admin.query('CREATE DATABASE app');
      await admin.query('SET GLOBAL require_secure_transport = ON');
      await admin.end();
      const url = `${server.url.replace('127.0.0.1', 'localhost')}/app`;
      await expect(migrate(url)).rejects.toThrow(/denied|secure transport/i);
      await expect(migrate(`${url}?tls=system`)).rejects.toThrow(/certificate/);
      expect(await migrate(`${url}?tls=${here}/ca.pem`)).toContain('0001-foundation');
    } finally {
      await server.stop();
    }
  },
);
