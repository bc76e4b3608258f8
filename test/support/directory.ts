import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll } from 'vitest';
import { freePort } from '#test/support/mysql';

const SLAPD = '/usr/sbin/slapd';
/** Whether OpenLDAP is on this machine. Without it, these tests are left out aloud; and fail where everything has to be tried. */
export const hasDirectory = existsSync(SLAPD);
if (!hasDirectory) {
  const line =
    'OpenLDAP is not on this machine (slapd), so nobody signs in with a directory here. Install slapd.';
  if (process.env['CI']) throw new Error(line);
  console.warn(`\n!!! ${line}\n`);
}

export const BASE = 'dc=corp,dc=test';
export const ADMIN = `cn=admin,${BASE}`;
export const ADMIN_PASSWORD = 'the password of the directory';

const settings = (folder: string) => `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile ${folder}/slapd.pid
TLSCertificateFile ${folder}/tls.crt
TLSCertificateKeyFile ${folder}/tls.key
database mdb
suffix "${BASE}"
rootdn "${ADMIN}"
rootpw "${ADMIN_PASSWORD}"
directory ${folder}/data
`;

/** LDIF of somebody. Without a password they cannot bind. */
export const person = (uid: string, { ou = 'people', ...fields }: Record<string, string> = {}) =>
  [
    `dn: cn=${fields['cn'] ?? uid},ou=${ou},${BASE}`,
    'objectClass: inetOrgPerson',
    `uid: ${uid}`,
    'sn: x',
    ...Object.entries({ cn: uid, ...fields }).map(([name, value]) => `${name}: ${value}`),
    '',
    '',
  ].join('\n');
const unit = (name: string) =>
  `dn: ou=${name},${BASE}\nobjectClass: organizationalUnit\nou: ${name}\n\n`;

/** A directory of our own in the folder of the test: OpenLDAP, with these people. Over TLS with a certificate that nobody knows. */
export async function startDirectory(people: string) {
  const folder = join(process.cwd(), 'directory');
  mkdirSync(join(folder, 'data'), { recursive: true });
  const names = 'subjectAltName=IP:127.0.0.1,IP:0.0.0.0';
  const certificate = [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=directory',
    '-addext',
    names,
  ];
  execFileSync(
    'openssl',
    [...certificate, '-keyout', `${folder}/tls.key`, '-out', `${folder}/tls.crt`],
    { stdio: 'ignore' },
  );
  const file = join(folder, 'slapd.conf');
  writeFileSync(file, settings(folder));
  const top = `dn: ${BASE}\nobjectClass: dcObject\nobjectClass: organization\no: Corp\ndc: corp\n\n`;
  const input = top + unit('people') + unit('leavers') + people;
  const added = spawnSync('/usr/sbin/slapadd', ['-f', file], { input, encoding: 'utf8' });
  if (added.status !== 0) throw new Error(`slapadd: ${added.stderr}`);

  const [port, tlsPort] = [await freePort(), await freePort()];
  const [url, tlsUrl] = [`ldap://127.0.0.1:${port}`, `ldaps://127.0.0.1:${tlsPort}`];
  // In the foreground (-d 32768 logs next to nothing), under a shell that ends it with its standard input: that is with this process.
  const words = [
    '-c',
    '"$0" "$@" & cat; kill -9 $!; wait $!',
    SLAPD,
    '-f',
    file,
    '-d',
    '32768',
    '-h',
    `${url} ${tlsUrl}`,
  ];
  const child = spawn('sh', words, { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = once(child, 'exit');
  const stop = async () => {
    child.stdin.end();
    await ended;
  };
  afterAll(stop);
  while (!(await answers(port))) {
    if (child.exitCode !== null) throw new Error('slapd did not start');
    await sleep(20);
  }
  const pid = Number(readFileSync(`${folder}/slapd.pid`, 'utf8'));
  const modify = (ldif: string) =>
    execFileSync('/usr/bin/ldapmodify', ['-x', '-H', url, '-D', ADMIN, '-w', ADMIN_PASSWORD], {
      input: ldif,
      stdio: ['pipe', 'ignore', 'pipe'],
    });
  return {
    url,
    tlsUrl,
    port,
    certificate: readFileSync(`${folder}/tls.crt`, 'utf8'),
    modify,
    /** Resolves when it stands still. */
    freeze: async () => {
      process.kill(pid, 'SIGSTOP');
      while (!/ T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await sleep(5);
    },
    thaw: () => process.kill(pid, 'SIGCONT'),
    stop,
  };
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true)).once('error', () =>
      resolve(false),
    );
    socket.once('connect', () => socket.destroy());
  });
