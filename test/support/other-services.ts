import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';
export const hasPyJwt = spawnSync(python, ['-c', 'import jwt, cryptography']).status === 0;
if (!hasPyJwt && process.env['CI'])
  throw new Error('PyJWT is not on this machine: install python3-jwt and python3-cryptography.');

const CHECK = `
import json, sys, jwt
asked = json.load(sys.stdin)
client = jwt.PyJWKClient(asked['jwks'])
answers = []
for token in asked['tokens']:
    try:
        assert jwt.get_unverified_header(token)['typ'] == 'at+jwt'
        key = client.get_signing_key_from_jwt(token)
        claims = jwt.decode(token, key.key, algorithms=['ES256', 'RS256'], audience=asked['audience'], issuer=asked['issuer'],
            options={'require': ['exp', 'iat', 'sub', 'sid', 'jti']})
        answers.append(claims['sub'])
    except (jwt.PyJWTError, AssertionError, TypeError) as error:
        answers.append(type(error).__name__)
print(json.dumps(answers))
`;

/**
 * A service in another language that fetches our keys. It answers the user of each token, or the
 * name of an error.
 */
export function askPyJwt(question: {
  jwks: string;
  issuer: string;
  audience: string;
  tokens: readonly string[];
}): Promise<string[]> {
  const child = spawn(python, ['-c', CHECK]);
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      heard[name] += text;
    });
  child.stdin.end(JSON.stringify(question));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) =>
      code === 0 ? resolve(JSON.parse(heard.stdout) as string[]) : reject(new Error(heard.stderr)),
    );
  });
}
