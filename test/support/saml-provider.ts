import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { inflateRawSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { assertion, envelope, newIdentity, sign } from '#test/support/identity-provider-saml';

/** What an identity provider answers with: rightly; signed by somebody else; changed after it was signed; not signed; in another one's name. */
export type SamlAnswer = 'right' | 'stranger' | 'changed' | 'unsigned' | 'elsewhere';

/** A SAML 2.0 identity provider on loopback that knows who sits in front of it (HTTP-Redirect in, HTTP-POST out, assertions signed). */
export async function startSamlProvider() {
  const [ours, strangers] = [newIdentity(), newIdentity()];
  const state = { nameId: 'sam@saml.test', answer: 'right' as SamlAnswer };
  const server = createServer((req, res) => {
    const { searchParams } = new URL(req.url!, 'http://localhost');
    const request = inflateRawSync(
      Buffer.from(searchParams.get('SAMLRequest')!, 'base64'),
    ).toString();
    const attribute = (name: string) => new RegExp(`\\b${name}="([^"]+)"`).exec(request)![1]!;
    const to = attribute('AssertionConsumerServiceURL');
    const key = state.answer === 'stranger' ? strangers : ours;
    const audience =
      state.answer === 'elsewhere'
        ? 'another-service'
        : /<saml:Issuer[^>]*>([^<]+)</.exec(request)![1]!;
    const said = {
      inResponseTo: attribute('ID'),
      recipient: to,
      destination: to,
      audience,
      nameId: state.nameId,
    };
    const signed = sign(envelope(assertion(said), said), key);
    const sent =
      state.answer === 'changed'
        ? signed.replaceAll(state.nameId, 'root@saml.test')
        : state.answer === 'unsigned'
          ? signed.replace(/<Signature[\s\S]*<\/Signature>/, '')
          : signed;
    const fields = {
      SAMLResponse: Buffer.from(sent).toString('base64'),
      RelayState: searchParams.get('RelayState') ?? '',
    };
    const inputs = Object.entries(fields).map(
      ([name, value]) => `<input type="hidden" name="${name}" value="${value}">`,
    );
    res
      .setHeader('content-type', 'text/html')
      .end(`<form method="post" action="${to}">${inputs.join('')}</form>`);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/sso`,
    certificate: ours.certificate,
    state,
  };
}
