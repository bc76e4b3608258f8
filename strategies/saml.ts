import type { Profile, VerifyWithoutRequest } from '@node-saml/passport-saml';
import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';
import { defineStrategy, later, verify } from '#src/strategy-kit/strategy';
import { domains, emailClaims } from '#strategies/_email';
import { certificates, expiredAmong } from '#strategies/_certificates';
import { answersRequest, emailIn, isSuccess, requestIdsIn } from '#strategies/_saml';
import { explain } from '#strategies/_unreachable';

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const text = z.string().min(1);
const refusal = (reason: string) =>
  new Problem('invalid_credentials', { cause: new Error(reason) });

export default defineStrategy({
  name: 'saml',
  kind: 'redirect',
  responseMode: 'form_post',
  summary: 'Sign in with SAML',
  authorizationParameters: ['prompt'],
  env: z.object({
    SAML_ENTRY_POINT: z
      .url({ protocol: /^https?$/ })
      .describe('Single sign-on URL of the identity provider (HTTP-Redirect binding).'),
    SAML_IDP_CERT: certificates.describe(
      'Certificates that it signs assertions with, comma-separated: base64 on one line, PEM, or the name of a PEM file. During a roll-over, the old and the new one.',
    ),
    SAML_ISSUER: text.describe(
      'Entity id of this server at the identity provider. Assertions must name it as their audience.',
    ),
    SAML_EMAIL_DOMAINS: domains,
  }),
  check: async ({ SAML_IDP_CERT, SAML_ENTRY_POINT }) => {
    const expired = expiredAmong(SAML_IDP_CERT, 'SAML_IDP_CERT');
    try {
      const options = { redirect: 'manual', signal: AbortSignal.timeout(5000) } as const;
      const response = await fetch(SAML_ENTRY_POINT, options);
      await response.body?.cancel();
      return expired; // without a SAML request, any answer is right
    } catch (error) {
      return [...expired, explain(error, `The sign-in page at ${SAML_ENTRY_POINT}`)];
    }
  },
  load: () =>
    Promise.all([import('@node-saml/passport-saml'), import('#strategies/_saml-strategy')]),
  create({ env, callbackUrl, resolveUser }) {
    const options = {
      callbackUrl,
      entryPoint: env.SAML_ENTRY_POINT,
      idpCert: env.SAML_IDP_CERT,
      issuer: env.SAML_ISSUER,
      audience: env.SAML_ISSUER,
      wantAuthnResponseSigned: false, // the assertion must be signed, and nothing else is read
      acceptedClockSkewMs: 30_000,
    };
    const find = async (profile: Profile | null) => {
      if (!profile) return null; // the provider wants to see its user, and was told not to
      if (!isSuccess(profile)) throw refusal('The status of the response is a failure');
      if (!answersRequest(profile, callbackUrl))
        throw refusal('The assertion does not answer this request, at this address');
      const { issuer, nameID, nameIDFormat } = profile;
      if (nameIDFormat === TRANSIENT)
        throw new Error(
          'The NameID is transient: it is another one each time, so nobody could be recognised. Let the identity provider send a persistent one, or the e-mail address',
        );
      if (typeof issuer !== 'string' || typeof nameID !== 'string')
        throw new Error('The assertion has no NameID');
      return resolveUser({
        issuer,
        subject: nameID,
        ...emailClaims(emailIn(profile), env.SAML_EMAIL_DOMAINS),
      });
    };
    const refuseLogout = (_profile: unknown, done: (error: null) => void) => done(null);
    return later(async () => {
      const { ValidateInResponseTo } = await import('@node-saml/passport-saml');
      const { ExplainingSamlStrategy, promptOptions } = await import('#strategies/_saml-strategy');
      const getSamlOptions = (req: object, done: (error: null, found: object) => void) =>
        done(null, { cacheProvider: requestIdsIn(req), ...promptOptions(req) });
      const all = {
        ...options,
        getSamlOptions,
        validateInResponseTo: ValidateInResponseTo.always,
      };
      return new ExplainingSamlStrategy(
        all,
        verify(find) as unknown as VerifyWithoutRequest,
        refuseLogout,
      );
    });
  },
});
