import { execFileSync, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';
import { root } from '#test/support/process';

const bin = join(root, 'node_modules/.bin');
/** npm finds its registry, and trusts it, as the developer's does. Nothing else of the developer's environment gets through. */
const base = {
  ...Object.fromEntries(
    Object.entries(process.env).filter(([name]) =>
      /^(HOME|TMPDIR|NODE_EXTRA_CA_CERTS|npm_config_\w+)$/i.test(name),
    ),
  ),
  PATH: `${bin}:${process.env['PATH']}`,
};

type Env = Record<string, string | undefined>;
interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Starts a command in a process group of its own, so that what it starts ends with it. */
export function start(cwd: string, command: string, args: string[], env: Env = {}, input = '') {
  const child = spawn(command, args, { cwd, env: { ...base, ...env }, detached: true });
  const heard = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => {
      heard[name] += text;
    });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject).once('close', (code) => resolve({ code, ...heard }));
  });
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // It has ended.
    }
    return ended;
  };
  afterAll(() => void signal('SIGKILL'));
  /** Resolves with what `pattern` finds in the output. */
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const found = pattern.exec(heard.stdout + heard.stderr);
        if (found) resolve(found);
      };
      for (const name of ['stdout', 'stderr'] as const) child[name].on('data', look);
      look();
      const missed = ({ code, stdout, stderr }: Ended) =>
        reject(new Error(`It ended with ${code}: ${stdout}${stderr}`));
      void ended.then(missed, reject);
    });
  return { ended, signal, says, heard };
}

/** Runs a command to its end. */
export const run = (cwd: string, command: string, args: string[], env: Env = {}, input = '') =>
  start(cwd, command, args, env, input).ended;

async function must(cwd: string, command: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await run(cwd, command, args);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')}: ${code}\n${stdout}${stderr}`);
  return stdout;
}

/** The tarball that would be published, from a copy of this repository: `dist` of the developer is left alone. */
export async function pack(): Promise<string> {
  const copy = mkdtempSync(join(process.cwd(), 'pack-'));
  const git = ['ls-files', '--cached', '--others', '--exclude-standard', '-z'];
  const files = execFileSync('git', git, { cwd: root, encoding: 'utf8' }).split('\0');
  for (const file of new Set(files))
    if (file && existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  await must(copy, 'npm', ['pack', '--silent', '--pack-destination', dirname(copy)]);
  return join(
    dirname(copy),
    readdirSync(dirname(copy)).find((name) => name.endsWith('.tgz'))!,
  );
}

/** A folder outside the repository where the example is, with the tarball and all else that it needs installed. */
export async function install(tarball: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-installed-'));
  cpSync(join(root, 'examples/embedded'), folder, { recursive: true });
  const quiet = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];
  await must(folder, 'npm', ['install', ...quiet, tarball]);
  return folder;
}
