/** The parts of `mysql://user:password@one:3306,two:3307/database`: a URL for each host, in this order. */
export function serversOf(url: string): [URL, ...URL[]] {
  const [, before = '', hosts = '', after = ''] = /^(\w+:\/\/(?:[^/]*@)?)([^/]*)(.*)$/s.exec(url)!;
  const [first = '', ...others] = hosts.split(',');
  const of = (host: string) => new URL(`${before}${host}${after}`);
  return [of(first), ...others.map(of)];
}

/** The hosts as a person knows them, without user and password. */
export const hostsIn = (url: string): string =>
  serversOf(url)
    .map(({ host }) => host)
    .join(', ');

/** True for a text of which `serversOf` can make URLs, each with a host. */
export function canParseServers(url: string): boolean {
  try {
    return serversOf(url).every(({ hostname }) => hostname !== '' && !hostname.includes(','));
  } catch {
    return false;
  }
}
