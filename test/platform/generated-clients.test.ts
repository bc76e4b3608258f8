import { Validator } from '@seriousme/openapi-schema-validator';
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { runIn } from '#test/support/copy';
import { copyOfConsumers, installGenerators } from '#test/support/generators';
import { newIdentity } from '#test/support/identity-provider-saml';

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** Everything that adds routes or security schemes to the document. */
const { ask, url, ctx, adapters } = await startApp({
  REDIRECT_URIS: 'https://app.example.com/in',
  TRUST_PROXY: '1',
  API_KEYS: 'on',
  APPLE_CLIENT_ID: 'an id',
  APPLE_TEAM_ID: 'a team',
  APPLE_KEY_ID: 'a key id',
  APPLE_PRIVATE_KEY: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  APPLE_NATIVE_CLIENT_IDS: 'com.example.app',
  BASIC_AUTH: 'on',
  EMAIL_CODE: 'on',
  GITHUB_CLIENT_ID: 'an id',
  GITHUB_CLIENT_SECRET: 'hush hush',
  GOOGLE_CLIENT_ID: 'an id',
  GOOGLE_CLIENT_SECRET: 'hush hush',
  GOOGLE_NATIVE_CLIENT_IDS: 'an id',
  HEADER_USER: 'x-remote-user',
  LDAP_URL: 'ldaps://dir.test',
  LDAP_BIND_DN: 'cn=x',
  LDAP_BIND_PASSWORD: 'hush hush',
  LDAP_SEARCH_BASE: 'dc=x',
  OIDC_ISSUER: 'https://idp.test',
  OIDC_CLIENT_ID: 'an id',
  OIDC_CLIENT_SECRET: 'hush hush',
  SAML_ENTRY_POINT: 'https://idp.test/sso',
  SAML_IDP_CERT: newIdentity().oneLine,
  SAML_ISSUER: 'sp',
  DIALECTS: 'bezkoder,zohaib,devckano',
});
const { text } = await ask('GET', '/openapi.json');

describe('the document with everything on', () => {
  it('is OpenAPI 3.1 that its schema accepts', async () => {
    expect([ctx.strategies.off, adapters.length]).toEqual([[], 3]);
    const { valid, errors } = await new Validator().validate(JSON.parse(text));
    expect([valid, errors]).toEqual([true, undefined]);
  });

  it('says nothing beside a reference but a description', () => {
    const beside: string[] = [];
    JSON.parse(text, (_key, value: unknown) => {
      if (typeof value === 'object' && value !== null && '$ref' in value)
        beside.push(...Object.keys(value).filter((name) => !/^(\$ref|description)$/.test(name)));
      return value;
    });
    expect(beside).toEqual([]);
  });

  it('takes the form that a provider posts, and no body where none is needed', () => {
    const { paths } = JSON.parse(text);
    const bodyOf = (path: string, method = 'post') => paths[path][method].requestBody;
    expect(Object.keys(bodyOf('/auth/saml/callback').content)).toEqual([
      'application/x-www-form-urlencoded',
    ]);
    expect(Object.keys(bodyOf('/auth/login').content)).toEqual(['application/json']);
    expect(bodyOf('/auth/login').required).toBe(true);
    expect(bodyOf('/auth/logout').required).toBe(false);
    expect(bodyOf('/me', 'delete').required).toBe(true);
  });
});

interface Generator {
  name: string;
  command: string[];
  /** Its own runtime does not compile with exactOptionalPropertyTypes. */
  loose?: boolean;
}
const generators: Generator[] = [
  {
    name: 'openapi-typescript',
    command: ['openapi-typescript', 'openapi.json', '--output', 'generated/client.ts'],
  },
  {
    name: 'hey-api',
    command: ['openapi-ts', '--input', 'openapi.json', '--output', 'generated'],
    loose: true,
  },
  { name: 'orval', command: ['orval', '--config', 'orval.config.js'] },
];

describe.each(generators)('a client by $name', ({ name, command: [program, ...args], loose }) => {
  beforeAll(installGenerators, 600_000);
  const folder = copyOfConsumers();
  const run = (args: string[]) => runIn(folder, 'node', args, { SERVER_URL: url, CI: 'true' });
  const strict = ['--exactOptionalPropertyTypes', String(!loose), '--noErrorTruncation'];

  it('is generated', async () => {
    writeFileSync(join(folder, 'openapi.json'), text);
    const { code, output } = await run([`node_modules/.bin/${program}`, ...args]);
    expect(code, output).toBe(0);
    expect(output).not.toMatch(/warn|deprecated|error/i);
  });

  it('compiles strictly, and a wrong body does not: with TypeScript 5 and 7', async () => {
    // With `include` every generated file is checked, also what the consumer does not use.
    const files = { extends: './tsconfig.json', include: [`${name}.ts`, 'generated'] };
    writeFileSync(join(folder, 'tsconfig.one.json'), JSON.stringify(files));
    const five = await run(['node_modules/.bin/tsc', '--project', 'tsconfig.one.json', ...strict]);
    expect(five).toEqual({ code: 0, output: '' });
    const seven = await runIn(folder, 'tsc', [
      '--project',
      'tsconfig.one.json',
      '--noEmit',
      ...strict,
    ]);
    expect(seven).toEqual({ code: 0, output: '' });
  });

  it('registers, signs in, lists, changes, refreshes and signs out', async () => {
    const username = `ada-${name}`;
    const { code, output } = await run([`out/${name}.js`, url, username]);
    expect(output.trim().split('\n')).toEqual([
      `registered ${username}`,
      'wrong password: try again',
      `me ${username}@example.com null user`,
      'sessions 3 + 1',
      'renamed Ada',
      'refreshed true true',
      'signed out: session_ended, sign_in',
      'refresh: sign in again, revoked',
    ]);
    expect(code).toBe(0);
  });
});
