import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptyFolder } from '#test/support/process';

export interface Certificate {
  key: string;
  cert: string;
}

/** A certificate that signs itself, for `DNS:localhost` or the like, and the file with it, for whoever is to trust it. */
export function makeCertificate(name: string): Certificate & { file: string } {
  const folder = emptyFolder();
  const [key, file] = ['key.pem', 'cert.pem'].map((each) => join(folder, each)) as [string, string];
  const words = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test -addext subjectAltName=${name} -keyout ${key} -out ${file}`;
  execFileSync('openssl', words.split(' '), { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(file, 'utf8'), file };
}
