import { createHash, randomBytes } from 'node:crypto';
import type { clientOf } from '#test/support/client';

/** A form of a page, as a browser without scripts sees it. */
export interface PageForm {
  action: string;
  fields: Record<string, string>;
}
/** What a browser got, and did not follow. */
export interface Page {
  status: number;
  headers: Headers;
  text: string;
  location: URL | undefined;
  forms: PageForm[];
}

const unescape = (text: string) =>
  text
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
const attribute = (tag: string, name: string) => {
  const found = new RegExp(`\\s${name}="([^"]*)"`).exec(tag)?.[1];
  return found === undefined ? undefined : unescape(found);
};

export function formsIn(text: string): PageForm[] {
  return [...text.matchAll(/<form([^>]*)>(.*?)<\/form>/gs)].map(([, tag = '', inside = '']) => ({
    action: attribute(tag, 'action') ?? '',
    fields: Object.fromEntries(
      [...inside.matchAll(/<input[^>]*\sname=[^>]*>/g)].map(([input]) => [
        attribute(input, 'name')!,
        attribute(input, 'value') ?? '',
      ]),
    ),
  }));
}

/** Somebody whom an app has sent to the pages of a sign-in, with a browser that runs no script. */
export function visitor(url: string, redirectUri: string, publicUrl = url) {
  const origin = new URL(publicUrl).origin;
  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const state = randomBytes(8).toString('hex');
  const query = { redirectUri, codeChallenge, state };

  async function page(path: string, request: RequestInit = {}): Promise<Page> {
    const answer = await fetch(new URL(path, url), { redirect: 'manual', ...request });
    const text = await answer.text();
    const location = answer.headers.get('location');
    const { status, headers } = answer;
    const target = location === null ? undefined : new URL(location, url);
    return { status, headers, text, location: target, forms: formsIn(text) };
  }
  const addressOf = (path: string, more: Record<string, string> = {}) =>
    `${path}?${new URLSearchParams({ ...query, ...more }).toString()}`;

  return {
    state,
    codeVerifier,
    query,
    page,
    addressOf,
    open: (path: string, more?: Record<string, string>) => page(addressOf(path, more)),
    post: (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
      page(path, {
        method: 'POST',
        body: new URLSearchParams(fields),
        headers: { origin, ...headers },
      }),
    /** Fills in the form that has these fields, and sends it. */
    send({ forms, text }: Page, fields: Record<string, string>) {
      const form = forms.find((each) => Object.keys(fields).every((name) => name in each.fields));
      if (!form) throw new Error(`No form has ${Object.keys(fields).join(', ')}: ${text}`);
      return this.post(form.action, { ...form.fields, ...fields });
    },
    /** What the app does with the address to which the browser came back. */
    exchange: (ask: ReturnType<typeof clientOf>, { location }: Page) =>
      ask('POST', '/auth/exchange', {
        body: { code: location!.searchParams.get('code'), codeVerifier },
      }),
  };
}
