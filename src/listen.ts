import type { Server } from 'node:http';
import type { Settings } from '#src/platform/settings/settings';
import { StartError } from '#src/platform/start-error';

/** Which settings say where to listen. */
type Named = { host: string; port: string };

/**
 * Listens on HOST and PORT, or on what stands in the settings that are `named`.
 * @throws {StartError} with the remedy
 */
export async function listenOn(
  server: Server,
  { host, port }: Pick<Settings, 'host' | 'port'>,
  named: Named = { host: 'HOST', port: 'PORT' },
): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) =>
      server.once('error', reject).listen(port, host, resolve),
    );
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    const sentence = await faultOf(code, host, port, named);
    throw sentence === undefined ? error : new StartError(sentence, error);
  }
}

async function faultOf(
  code: string,
  host: string,
  port: number,
  named: Named,
): Promise<string | undefined> {
  switch (code) {
    case 'EADDRINUSE':
      return (await isSallyport(host, port))
        ? `Another Sallyport is running already at ${host}, port ${port} (EADDRINUSE): stop it, or set another ${named.port}`
        : `Port ${port} of ${host} is taken by another program (EADDRINUSE): stop it, or set another ${named.port}`;
    case 'EACCES':
      return `This user may not listen on port ${port} (EACCES): set ${named.port} to 1024 or more and let a proxy have ${port}, or grant CAP_NET_BIND_SERVICE`;
    case 'EADDRNOTAVAIL':
      return `${named.host} is no address of this machine (EADDRNOTAVAIL): 127.0.0.1 is for this machine alone, 0.0.0.0 listens on every network`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${named.host} is no address and no known name (${code}): 127.0.0.1 is for this machine alone, 0.0.0.0 listens on every network`;
    default:
      return undefined;
  }
}

/** Asks who is there: the API document of a Sallyport names it. */
async function isSallyport(host: string, port: number): Promise<boolean> {
  const near = ['0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  try {
    const url = `http://${near.includes(':') ? `[${near}]` : near}:${port}/openapi.json`;
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000), redirect: 'error' });
    const { info } = (await answer.json()) as { info?: { title?: unknown } };
    return info?.title === 'Sallyport';
  } catch {
    return false;
  }
}
