import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { browser } from '#test/support/browser';
import {
  assertion,
  ENTRY,
  envelope,
  logoutRequest,
  newIdentity,
  requestIn,
  sign,
  type Said,
} from '#test/support/identity-provider-saml';
import { freePort } from '#test/support/mysql';
import { authorizationRequest } from '#test/support/pkce';

const idp = newIdentity();
const stranger = newIdentity();
const port = await freePort();
const here = `http://127.0.0.1:${port}`;
const CALLBACK = `${here}/auth/saml/callback`;
const APP = 'http://127.0.0.1:9/signed-in';
const settings = {
  SAML_ENTRY_POINT: ENTRY,
  SAML_IDP_CERT: idp.oneLine,
  SAML_ISSUER: 'sp',
  SAML_EMAIL_DOMAINS: 'corp.test',
};
const { url, ask, register, Identity, Session, User } = await startApp({
  PORT: String(port),
  PUBLIC_URL: here,
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  ...settings,
});

/** The same server, for browsers that use https. */
const secure = await startApp({
  PUBLIC_URL: 'https://auth.example.com',
  REDIRECT_URIS: 'http://127.0.0.1/signed-in',
  ...settings,
});

/** A browser that has been sent to the identity provider. */
async function start(tab = browser()) {
  const asked = authorizationRequest(url, 'saml', APP);
  const provider = await tab.open(asked.address, ENTRY);
  return { ...asked, tab, provider, ...requestIn(provider.url) };
}
type Request = Awaited<ReturnType<typeof start>>;
/** What a good identity provider says of somebody who came with this request. */
const good = ({ id }: { id: string }, more: Said = {}): Said => ({
  inResponseTo: id,
  recipient: CALLBACK,
  destination: CALLBACK,
  audience: 'sp',
  attributes: { email: 'ida@corp.test' },
  ...more,
});
const signed = (said: Said, by = idp) => sign(envelope(assertion(said), said), by);
const base64 = (xml: string) => Buffer.from(xml).toString('base64');
/** The browser brings this back. */
const bring = (
  { tab, relayState }: Pick<Request, 'tab' | 'relayState'>,
  xml: string,
  more: Record<string, string> = {},
) =>
  tab.open(CALLBACK, APP, { form: { SAMLResponse: base64(xml), RelayState: relayState, ...more } });
const outcome = ({ url: { href, searchParams }, status }: Awaited<ReturnType<typeof bring>>) =>
  href.startsWith(APP) ? (searchParams.get('error') ?? 'in') : String(status);
const counts = async () => [await User.count(), await Identity.count(), await Session.count()];
async function signIn(said: Said = {}) {
  const request = await start();
  const landing = await bring(request, signed(good(request, said)));
  expect(outcome(landing)).toBe('in');
  const code = landing.url.searchParams.get('code')!;
  const { status, body, text } = await ask('POST', '/auth/exchange', {
    body: { code, codeVerifier: request.codeVerifier },
  });
  expect(status, text).toBe(200);
  return { request, landing, body };
}

describe('SAML', () => {
  it('signs in with a signed assertion, again as the same user', async () => {
    const { request, landing, body } = await signIn();
    expect(landing.url.searchParams.get('state')).toBe(request.state);
    expect(body).toMatchObject({
      session: { strategy: 'saml' },
      user: { email: 'ida@corp.test', emailVerified: true, roles: ['user'] },
    });
    expect((await signIn()).body.user.id).toBe(body.user.id);
    const other = await signIn({ issuer: 'another idp', attributes: {} });
    expect(other.body.user.id).not.toBe(body.user.id);
  });

  it('asks for nothing but who somebody is, and says where they are to be sent', async () => {
    const { xml, provider } = await start();
    expect(xml).toContain(`AssertionConsumerServiceURL="${CALLBACK}"`);
    expect([...provider.url.searchParams.keys()].sort()).toEqual(['RelayState', 'SAMLRequest']);
    expect(provider.url.href).not.toContain('signed-in');
  });

  it('has a cookie that no script reads; over http it is left to the browser whether it goes with a form', async () => {
    const { provider } = await start();
    const [cookie, ...more] = provider.trail.flatMap(({ cookies }) => cookies);
    expect(more).toEqual([]);
    expect(cookie).toMatch(
      /^sallyport-[1-4]=[\w-]+; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly$/,
    );
  });

  it('has one that goes along with a form from another site, over https: and only over https', async () => {
    const { address } = authorizationRequest(secure.url, 'saml', APP);
    const answer = await fetch(address, { redirect: 'manual' });
    expect(answer.headers.getSetCookie().join()).toMatch(
      /^__Host-sallyport-[1-4]=[\w-]+; Max-Age=600; Path=\/; Expires=[^;]+; HttpOnly; Secure; SameSite=None$/,
    );
  });

  it('gives no address away that SAML_EMAIL_DOMAINS does not name', async () => {
    const email = 'olga@elsewhere.test';
    await register({ email });
    const request = await start();
    const landing = await bring(
      request,
      signed(good(request, { nameId: 'olga', attributes: { email } })),
    );
    const code = landing.url.searchParams.get('code');
    const { body } = await ask('POST', '/auth/exchange', {
      body: { code, codeVerifier: request.codeVerifier },
    });
    expect(body.code).toBe('already_linked');
  });
});

/** Everything in the first element of this name, tags too. */
const elementOf = (xml: string, name: string) =>
  new RegExp(`<(\\w+:)?${name}[ >][\\s\\S]*</(\\w+:)?${name}>`).exec(xml)![0];

/** The signed assertion of Ida, and an unsigned one of Root that somebody would like to be read in its place. */
function pieces(request: Request) {
  const said = good(request);
  const genuine = elementOf(signed(said), 'Assertion');
  const forged = assertion(
    good(request, { nameId: 'root@corp.test', attributes: { email: 'root@corp.test' } }),
  );
  const signature = elementOf(genuine, 'Signature');
  const bare = genuine.replace(signature, '');
  const id = / ID="([^"]+)"/.exec(genuine)![1]!;
  const intoForged = (more: string) => forged.replace('</saml:Issuer>', `</saml:Issuer>${more}`);
  const within = (content: string) => envelope(content, said);
  return { genuine, forged, signature, bare, id, intoForged, within };
}
type Pieces = ReturnType<typeof pieces>;
const inObject = (signature: string, content: string) =>
  signature.replace('</Signature>', `<Object>${content}</Object></Signature>`);

describe('an answer that does not hold is refused, and nothing changes', () => {
  const refusals: [string, (request: Request) => string][] = [
    ['not signed', (request) => envelope(assertion(good(request)), good(request))],
    [
      'tampered with',
      (request) => signed(good(request)).replaceAll('ida@corp.test', 'root@corp.test'),
    ],
    ['signed by another key', (request) => signed(good(request), stranger)],
    [
      'signed by another key that brings the right certificate',
      (request) => signed(good(request), { ...stranger, certificate: idp.certificate }),
    ],
    [
      'signed as an envelope by another key',
      (request) => sign(envelope(assertion(good(request)), good(request)), stranger, 'Response'),
    ],
    [
      'with a signature of nothing',
      (request) => signed(good(request)).replace(/<Reference [\s\S]*?<\/Reference>/, ''),
    ],
    [
      'with an empty signature',
      (request) => signed(good(request)).replace(/<SignatureValue>[^<]*/, '<SignatureValue>'),
    ],
    [
      'signed with the certificate as a password (HMAC)',
      (request) =>
        signed(good(request)).replace(
          'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256',
          'http://www.w3.org/2000/09/xmldsig#hmac-sha1',
        ),
    ],
    ['expired', (request) => signed(good(request, { notOnOrAfter: -120 }))],
    ['not yet valid', (request) => signed(good(request, { notBefore: 300, notOnOrAfter: 600 }))],
    ['for another audience', (request) => signed(good(request, { audience: 'somebody else' }))],
    ['for nobody in particular', (request) => signed(good(request, { audience: null }))],
    [
      'for another recipient',
      (request) => signed(good(request, { recipient: 'https://other.example/acs' })),
    ],
    ['for no recipient', (request) => signed(good(request, { recipient: '' }))],
    [
      'with another confirmation than by its bearer',
      (request) =>
        signed(good(request, { method: 'urn:oasis:names:tc:SAML:2.0:cm:sender-vouches' })),
    ],
    ['to no request', (request) => signed(good(request, { inResponseTo: null }))],
    [
      'to a request that was never made',
      (request) => signed(good(request, { inResponseTo: '_0123456789' })),
    ],
    [
      'to no request, in an envelope of ours',
      (request) => signed(good(request, { inResponseTo: null, envelopeInResponseTo: request.id })),
    ],
    [
      'to another request, in an envelope of ours',
      (request) => signed(good(request, { inResponseTo: '_01', envelopeInResponseTo: request.id })),
    ],
    [
      'under a transient name',
      (request) =>
        signed(good(request, { format: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient' })),
    ],
    ['about nobody', (request) => signed(good(request, { nameId: null }))],
    [
      'about nobody, with a name as an attribute',
      (request) => signed(good(request, { nameId: null, attributes: { email: 'root@corp.test' } })),
    ],
    ['with an empty name', (request) => signed(good(request, { nameId: '' }))],
    ['a failure', (request) => envelope('', { ...good(request), status: 'Responder' })],
    ['a success without an assertion', (request) => envelope('', good(request))],
    [
      'with an assertion that is encrypted',
      (request) =>
        envelope(
          '<saml:EncryptedAssertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>',
          good(request),
        ),
    ],
    ['no XML', () => 'hello'],
    ['nothing', () => ' '],
    ['bytes', () => '\0\u0001\ufffe'],
    ['half a document', (request) => signed(good(request)).slice(0, 900)],
    ['another document', () => '<html><body>Sign in</body></html>'],
    ['two documents', (request) => signed(good(request)) + signed(good(request))],
    ['deep', () => '<a>'.repeat(20_000) + '</a>'.repeat(20_000)],
    [
      '200 kB of attributes',
      () => `<a ${Array.from({ length: 12_000 }, (_, i) => `a${i}="1"`).join(' ')}/>`,
    ],
    [
      'a bomb of entities',
      (request) =>
        `<!DOCTYPE r [<!ENTITY a "${'a'.repeat(100)}">${Array.from('bcdefghi', (name, i) => `<!ENTITY ${name} "${`&${'abcdefghi'[i]};`.repeat(10)}">`).join('')}]>` +
        signed(good(request)).replaceAll('ida@corp.test', '&i;'),
    ],
    [
      'a file of ours',
      (request) =>
        `<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>${signed(good(request)).replaceAll('ida@corp.test', '&x;')}`,
    ],
  ];
  it.each(refusals)('%s', async (_what, answer) => {
    const request = await start();
    const before = await counts();
    expect(outcome(await bring(request, answer(request)))).toMatch(
      /^(access_denied|server_error)$/,
    );
    expect(await counts()).toEqual(before);
  });

  it.each<[string, (pieces: Pieces) => string]>([
    ['before the signed one', ({ forged, genuine, within }) => within(forged + genuine)],
    ['after it', ({ forged, genuine, within }) => within(genuine + forged)],
    ['around it', ({ intoForged, genuine, within }) => within(intoForged(genuine))],
    [
      'around it, with its signature',
      ({ intoForged, signature, bare, within }) => within(intoForged(signature + bare)),
    ],
    [
      'with its signature, before it',
      ({ intoForged, signature, bare, within }) => within(intoForged(signature) + bare),
    ],
    [
      'with its signature, after it',
      ({ intoForged, signature, bare, within }) => within(bare + intoForged(signature)),
    ],
    [
      'with it in an Object of its signature',
      ({ intoForged, signature, bare, within }) => within(intoForged(inObject(signature, bare))),
    ],
    [
      'with it and its signature in an Object',
      ({ intoForged, signature, genuine, within }) =>
        within(intoForged(inObject(signature, genuine))),
    ],
    [
      'while it is put into Extensions',
      ({ forged, genuine, within }) =>
        within(`<samlp:Extensions>${genuine}</samlp:Extensions>${forged}`),
    ],
    [
      'with its signature, while it is put into Extensions',
      ({ intoForged, signature, bare, within }) =>
        within(`<samlp:Extensions>${bare}</samlp:Extensions>${intoForged(signature)}`),
    ],
    [
      'under its ID, before it',
      ({ forged, genuine, id, within }) =>
        within(forged.replace(/ ID="[^"]+"/, ` ID="${id}"`) + genuine),
    ],
    [
      'under its ID, in Extensions',
      ({ forged, genuine, id, within }) =>
        within(
          `<samlp:Extensions>${forged.replace(/ ID="[^"]+"/, ` ID="${id}"`)}</samlp:Extensions>${genuine}`,
        ),
    ],
    [
      'around the whole answer',
      ({ intoForged, genuine, within }) => within(intoForged(within(genuine))),
    ],
  ])('a second assertion that nobody signed: %s', async (_what, wrapped) => {
    const request = await start();
    const before = await counts();
    expect(outcome(await bring(request, wrapped(pieces(request))))).toMatch(
      /^(access_denied|server_error)$/,
    );
    expect(await counts()).toEqual(before);
  });

  it('reads what was signed alone: another assertion in Extensions is air, and what is signed is read whole', async () => {
    const { body } = await signIn();
    const request = await start();
    const { forged, genuine, within } = pieces(request);
    const landing = await bring(
      request,
      within(`<samlp:Extensions>${forged}</samlp:Extensions>${genuine}`),
    );
    const code = landing.url.searchParams.get('code');
    const exchanged = await ask('POST', '/auth/exchange', {
      body: { code, codeVerifier: request.codeVerifier },
    });
    expect(exchanged.body.user.id).toBe(body.user.id);

    // Some parsers end a text at a comment: Ida of corp.test would be the owner of the longer name.
    const evil = await signIn({
      nameId: 'ida@corp.test<!---->.evil.test',
      attributes: { email: 'ida@corp.test<!---->.evil.test' },
    });
    expect(evil.body.user).toMatchObject({
      email: 'ida@corp.test.evil.test',
      emailVerified: false,
    });
    expect(evil.body.user.id).not.toBe(body.user.id);
    const later = await start();
    const plain = signed(good(later, { nameId: 'ida@corp.test.evil.test', attributes: {} }));
    const split = await bring(
      later,
      plain.replaceAll('ida@corp.test.evil', 'ida@corp.test<!-- -->.evil'),
    );
    const { body: same } = await ask('POST', '/auth/exchange', {
      body: { code: split.url.searchParams.get('code'), codeVerifier: later.codeVerifier },
    });
    expect(same.user.id).toBe(evil.body.user.id);
  });
});

describe('an answer belongs to one browser, once', () => {
  it('is not taken twice, whatever cookies are kept', async () => {
    const request = await start();
    const kept = new Map(request.tab.jar);
    const xml = signed(good(request));
    expect(outcome(await bring(request, xml))).toBe('in');
    for (const [name, value] of kept) request.tab.jar.set(name, value);
    const again = await bring(request, xml);
    expect(outcome(again)).toBe('400');
    expect(again.text).toContain('did not begin in this browser');
  });

  it('is not taken from another browser: neither under its name nor under that of a request of its own', async () => {
    const [mine, theirs] = [await start(), await start()];
    const before = await counts();
    expect(
      outcome(await bring({ tab: theirs.tab, relayState: mine.relayState }, signed(good(mine)))),
    ).toBe('400');
    expect(outcome(await bring(theirs, signed(good(mine))))).toBe('server_error');
    expect(
      outcome(await bring({ tab: browser(), relayState: mine.relayState }, signed(good(mine)))),
    ).toBe('400');
    expect(await counts()).toEqual(before);
    expect(outcome(await bring(mine, signed(good(mine))))).toBe('in');
  });

  it('is not taken without a request', async () => {
    const tab = browser();
    for (const form of [
      {},
      { RelayState: '' },
      { RelayState: '/admin' },
      { RelayState: 'https://evil.example' },
    ]) {
      const SAMLResponse = base64(signed(good({ id: '' }, { inResponseTo: null })));
      expect(outcome(await tab.open(CALLBACK, APP, { form: { SAMLResponse, ...form } }))).toBe(
        '400',
      );
    }
  });

  it('is not taken as anything but one field of a form', async () => {
    const request = await start();
    const SAMLResponse = base64(signed(good(request)));
    const cookie = [...request.tab.jar]
      .map(([name, value]) => `${name.split(' ')[1]}=${value}`)
      .join('; ');
    const post = async (body: string, type = 'application/x-www-form-urlencoded') => {
      const init = {
        method: 'POST',
        redirect: 'manual' as const,
        headers: { cookie, 'content-type': type },
        body,
      };
      const answer = await fetch(CALLBACK, init);
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    const one = new URLSearchParams({ SAMLResponse, RelayState: request.relayState }).toString();
    expect(await post(`${one}&SAMLResponse=${encodeURIComponent(SAMLResponse)}`)).toEqual([
      400,
      'invalid_request',
    ]);
    expect(await post(`${one}&RelayState=x`)).toEqual([400, 'invalid_request']);
    expect(
      await post(
        JSON.stringify({ SAMLResponse, RelayState: request.relayState }),
        'application/json',
      ),
    ).toEqual([415, 'unsupported_media_type']);
    expect(await post(`${one}&padding=${'x'.repeat(260_000)}`)).toEqual([413, 'payload_too_large']);
    expect(await post(Array.from({ length: 100 }, (_, i) => `f${i}=1`).join('&'))).toEqual([
      413,
      'payload_too_large',
    ]);
    const query = await fetch(`${CALLBACK}?${one}`, { headers: { cookie } });
    expect(query.status).toBe(405);
    expect(outcome(await bring(request, signed(good(request))))).toBe('in');
  });

  it.each(['signed', 'not signed', 'signed by another key'])(
    'ends no session: a request to sign out, %s',
    async (how) => {
      const { body } = await signIn();
      const request = await start();
      const plain = logoutRequest('ida@corp.test', CALLBACK);
      const xml =
        how === 'not signed'
          ? plain
          : sign(plain, how === 'signed' ? idp : stranger, 'LogoutRequest');
      const landing = await request.tab.open(CALLBACK, APP, {
        form: { SAMLRequest: base64(xml), RelayState: request.relayState },
      });
      expect(outcome(landing)).toBe('server_error');
      expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(200);
    },
  );

  it('is taken however long a certificate makes it, up to 256 kB', async () => {
    const padding = `<saml:Advice><saml:AssertionIDRef>${'x'.repeat(150_000)}</saml:AssertionIDRef></saml:Advice>`;
    expect((await signIn({ padding })).body.user.email).toBe('ida@corp.test');
  });
});
