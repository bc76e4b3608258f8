import { readFileSync, statSync } from 'node:fs';

/** A secret is small. A larger file is the wrong one. */
const MAX_BYTES = 64 * 1024;
/** A bundle of all authorities of a system is some 200 kB. */
const MAX_CERTIFICATE_BYTES = 4 * 1024 * 1024;

/** `APP_SECRET_FILE` for `APP_SECRET`: the file that holds the value, as Docker and Kubernetes hand over secrets. */
export const fileSetting = (name: string): string => `${name}_FILE`;

/**
 * The value of a setting, or what stands in the file that `<NAME>_FILE` names, without the line end behind it. `get`
 * answers undefined for what is not set. A mistake is a sentence without path and value.
 */
export function readValue(
  get: (name: string) => unknown,
  name: string,
): { value?: unknown; mistake?: string } {
  const [value, file] = [get(name), get(fileSetting(name))];
  if (file === undefined) return { value };
  if (value !== undefined)
    return { mistake: `${name} and ${fileSetting(name)} are both set: remove one of them` };
  const { text, fault } = readText(file);
  return fault ? { mistake: `${fileSetting(name)} ${fault}` } : { value: text };
}

function readText(file: unknown, maxBytes = MAX_BYTES): { text?: string; fault?: string } {
  if (typeof file !== 'string') return { fault: 'must be the path of a file' };
  try {
    const stats = statSync(file);
    if (!stats.isFile() && !stats.isFIFO() && !stats.isDirectory())
      return { fault: 'names a device: it must be a file' };
    if (stats.size > maxBytes) return { fault: 'names a file that is too large for a setting' };
    const bytes = readFileSync(file);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/[\r\n]+$/, '');
    return text ? { text } : { fault: 'names an empty file: put the value into it' };
  } catch (error) {
    return { fault: faultOf(error as NodeJS.ErrnoException) };
  }
}

/** What is wrong with a file that cannot be read, as the end of a sentence that begins with a setting. */
function faultOf({ code = '' }: NodeJS.ErrnoException): string {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return 'names a file that does not exist: correct the path, or mount the file there';
  if (code === 'EACCES' || code === 'EPERM')
    return 'names a file that this user may not read: give it read permission';
  if (code === 'EISDIR') return 'names a folder: name the file in it';
  if (code.startsWith('ERR_ENCODING')) return 'names a file that is not UTF-8 text';
  return `names a file that cannot be read (${code || 'unknown'})`;
}

/** What is wrong with the file of `?tls=/path/ca.pem` in these settings. */
export function certificateFaults(urls: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(urls).flatMap(([name, url]) => {
    const [, query] = /[?&]tls=(\/[^&]*)/.exec(url ?? '') ?? [];
    if (!query) return [];
    const { text = '', fault } = readText(query, MAX_CERTIFICATE_BYTES);
    const wrong =
      fault ??
      (text.includes('-----BEGIN CERTIFICATE-----')
        ? undefined
        : 'names a file that holds no certificate in PEM form');
    return wrong ? [`${name} (?tls=) ${wrong}`] : [];
  });
}
