import type { Profile, VerifyWithoutRequest } from '@node-saml/passport-saml';
import { z } from 'zod';
import { defineStrategy, later, verify } from '#src/strategy-kit/strategy';
import { domains, emailClaims } from '#strategies/_email';
import { answersRequest, emailIn, isCertificate, requestIdsIn } from '#strategies/_saml';

const TRANSIENT = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
const text = z.string().min(1);

export default defineStrategy({
  name: 'saml',
  kind: 'redirect',
  responseMode: 'form_post',
  summary: 'Sign in with SAML',
  env: z.object({
    SAML_ENTRY_POINT: z
      .url({ protocol: /^https?$/ })
      .describe('Single sign-on URL of the identity provider (HTTP-Redirect binding).'),
    SAML_IDP_CERT: text
      .refine(isCertificate)
      .describe('Certificate that it signs assertions with: base64, on one line.'),
    SAML_ISSUER: text.describe(
      'Entity id of this server at the identity provider. Assertions must name it as their audience.',
    ),
    SAML_EMAIL_DOMAINS: domains,
  }),
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
      if (!profile || !answersRequest(profile, callbackUrl)) return null;
      const { issuer, nameID, nameIDFormat } = profile;
      // A transient name is another one each time: the user could not be recognised.
      if (nameIDFormat === TRANSIENT) return null;
      if (typeof issuer !== 'string' || typeof nameID !== 'string') return null;
      return resolveUser({
        subject: `${issuer} ${nameID}`,
        ...emailClaims(emailIn(profile), env.SAML_EMAIL_DOMAINS),
      });
    };
    const getSamlOptions = (req: object, done: (error: null, found: object) => void) =>
      done(null, { cacheProvider: requestIdsIn(req) });
    const refuseLogout = (_profile: unknown, done: (error: null) => void) => done(null);
    return later(async () => {
      // Loads a large library.
      const { MultiSamlStrategy, ValidateInResponseTo } = await import('@node-saml/passport-saml');
      const all = {
        ...options,
        getSamlOptions,
        validateInResponseTo: ValidateInResponseTo.always,
      };
      return new MultiSamlStrategy(
        all,
        verify(find) as unknown as VerifyWithoutRequest,
        refuseLogout,
      );
    });
  },
});
