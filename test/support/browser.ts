/** Where a browser ended up: at a page, or at an address of an app that it was told to open. */
export interface Landing {
  url: URL;
  status: number;
  headers: Headers;
  text: string;
  /** Every address on the way, and what set a cookie there. */
  trail: { url: string; status: number; cookies: string[] }[];
}
interface Sent {
  method?: string;
  form?: Record<string, string>;
  accept?: string;
  headers?: Record<string, string>;
}

/** What a browser does that matters here: it follows redirects and keeps cookies, of all ports of a host alike. */
export function browser() {
  const jar = new Map<string, string>();

  function keep(host: string, line: string): void {
    const [pair = '', ...attributes] = line.split(/;\s*/);
    const name = `${host} ${pair.slice(0, pair.indexOf('='))}`;
    const gone = attributes.some(
      (each) => /^expires=Thu, 01 Jan 1970/i.test(each) || /^max-age=0$/i.test(each),
    );
    if (gone) jar.delete(name);
    else jar.set(name, pair.slice(pair.indexOf('=') + 1));
  }
  const cookieFor = (host: string) =>
    [...jar]
      .flatMap(([name, value]) =>
        name.startsWith(`${host} `) ? [`${name.slice(host.length + 1)}=${value}`] : [],
      )
      .join('; ');

  /** Follows where it is sent, up to `stop`: the beginning of an address that belongs to an app. */
  async function open(
    address: string,
    stop: string,
    { method = 'GET', form, accept = 'text/html,*/*;q=0.8', headers = {} }: Sent = {},
  ): Promise<Landing> {
    const trail: Landing['trail'] = [];
    let url = new URL(address);
    let body = form && new URLSearchParams(form).toString();
    for (let hop = 0; hop < 20; hop++) {
      if (url.href.startsWith(stop))
        return { url, status: 0, headers: new Headers(), text: '', trail };
      const answer = await fetch(url, {
        method: body === undefined ? method : 'POST',
        redirect: 'manual',
        headers: {
          accept,
          cookie: cookieFor(url.hostname),
          ...(body !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
        ...(body !== undefined && { body }),
      });
      const cookies = answer.headers.getSetCookie();
      for (const line of cookies) keep(url.hostname, line);
      trail.push({ url: url.href, status: answer.status, cookies });
      const next = answer.headers.get('location');
      if (answer.status < 300 || answer.status >= 400 || !next)
        return {
          url,
          status: answer.status,
          headers: answer.headers,
          text: await answer.text(),
          trail,
        };
      await answer.arrayBuffer();
      [url, body] = [new URL(next, url), undefined];
    }
    throw new Error(`Too many redirects: ${trail.map((step) => step.url).join(' ')}`);
  }

  return { jar, open };
}
