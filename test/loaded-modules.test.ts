import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { emptyFolder, root, settingsFor, startProcess } from '#test/support/process';
import { newIdentity } from '#test/support/identity-provider-saml';

/** What only some settings, commands or requests need. */
const HEAVY: Record<string, RegExp> = {
  SAML: /node_modules\/@node-saml\//,
  LDAP: /node_modules\/ldapts\//,
  'OpenID Connect': /node_modules\/openid-client\//,
  GitHub: /node_modules\/passport-(github2|oauth2)\//,
  zxcvbn: /node_modules\/@zxcvbn-ts\//,
  passkeys: /node_modules\/@simplewebauthn\//,
  mail: /node_modules\/nodemailer\//,
  Redis: /node_modules\/@redis\//,
  'public suffixes': /node_modules\/tldts/,
  'the OpenAPI document': /node_modules\/zod-openapi\/|src\/platform\/http\/openapi\.ts$/,
  'names of browsers': /node_modules\/bowser\//,
  metrics: /node_modules\/(prom-client|@opentelemetry)\//,
  MySQL: /node_modules\/mysql2\//,
  archives: /node_modules\/tar\/|src\/backup\//,
  imports: /node_modules\/(csv-parse|@streamparser)\/|src\/import-export\//,
  'the command line': /node_modules\/(commander|read)\/|src\/(doctor|cli\/(?!run\.ts$))/,
  'fetch of Node': /deps\/undici\/undici$/,
};
const kindsIn = (modules: readonly string[]) =>
  Object.keys(HEAVY).filter((kind) => modules.some((each) => HEAVY[kind]!.test(each)));

/** A server in a process of its own, and which heavy modules it has loaded. */
async function start(env: Record<string, string> = {}, file = 'src/cli.ts') {
  const record = join(emptyFolder(), 'modules');
  const running = await startProcess(
    { ...settingsFor(await emptyDatabase(), env), RECORD_MODULES: record },
    { file: join(root, file), node: ['--import', join(root, 'test/support/record-modules.ts')] },
  );
  const loaded = async () => {
    process.kill(running.pid, 'SIGUSR2');
    const lines = () => readFileSync(record, 'utf8').split('\n');
    await eventually(() => expect(lines().at(-2)).toBe('all'));
    return lines();
  };
  return { ...running, loaded };
}

describe('an idle server', () => {
  it.each(['src/cli.ts', 'src/server.ts'])(
    'that is %s has loaded nothing that is off',
    async (file) => {
      const modules = await (await start({}, file)).loaded();
      expect(modules.length).toBeGreaterThan(500);
      expect(modules.some((each) => /node_modules\/express\//.test(each))).toBe(true);
      expect(kindsIn(modules)).toEqual([]);
    },
  );

  it('keeps little of the memory that its start took', async () => {
    const { pid } = await start();
    const megabytes = () =>
      Number(/RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 1024;
    await eventually(() => expect(megabytes()).toBeLessThan(80), 100);
  });

  it('has loaded everything that is on before it is ready', async () => {
    const { loaded } = await start({
      ALLOWED_ORIGINS: 'https://*.example.com',
      GITHUB_CLIENT_ID: 'client',
      GITHUB_CLIENT_SECRET: 'secret',
      LDAP_URL: 'ldap://127.0.0.1:9',
      LDAP_BIND_DN: 'cn=reader',
      LDAP_BIND_PASSWORD: 'secret',
      LDAP_SEARCH_BASE: 'dc=example',
      MAIL_FROM: 'auth@example.com',
      METRICS_PORT: '0',
      OIDC_ISSUER: 'http://127.0.0.1:9',
      OIDC_CLIENT_ID: 'client',
      OIDC_CLIENT_SECRET: 'secret',
      PASSWORD_MIN_SCORE: '1',
      REDIRECT_URIS: 'http://127.0.0.1/signed-in',
      REDIS_URL: 'redis://127.0.0.1:9',
      SAML_ENTRY_POINT: 'http://127.0.0.1:9',
      SAML_IDP_CERT: newIdentity().oneLine,
      SAML_ISSUER: 'sallyport',
      SMTP_URL: 'smtp://127.0.0.1:9',
    });
    const on = [
      'SAML',
      'LDAP',
      'OpenID Connect',
      'GitHub',
      'zxcvbn',
      'mail',
      'Redis',
      'public suffixes',
      'metrics',
    ];
    expect(kindsIn(await loaded())).toEqual(expect.arrayContaining(on));
  });

  it('makes the OpenAPI document when it is asked for, once for all who ask', async () => {
    const { ask, loaded } = await start();
    const answers = await Promise.all([1, 2, 3].map(() => ask('GET', '/openapi.json')));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(kindsIn(await loaded())).toEqual(['the OpenAPI document']);
  });
});
