import { Strategy, type Profile, type VerifyWithoutRequest } from '@node-saml/passport-saml';
import { z } from 'zod';
import { defineStrategy, verify } from '#src/strategy-kit/strategy';

export default defineStrategy({
  name: 'passport-saml',
  kind: 'redirect',
  responseMode: 'form_post',
  summary: 'Sign in with SAML',
  env: z.object({ SAML_SSO: z.url(), SAML_KEY: z.string() }),
  create({ env: { SAML_SSO: entryPoint, SAML_KEY: idpCert }, callbackUrl, resolveUser }) {
    const find = async (profile: Profile | null) =>
      profile && resolveUser({ subject: profile.nameID, email: profile.nameID });
    const options = {
      callbackUrl,
      entryPoint,
      idpCert,
      issuer: 'sallyport',
      audience: 'sallyport',
      wantAuthnResponseSigned: false,
    };
    return new Strategy(
      options,
      verify(find) as unknown as VerifyWithoutRequest,
      (_profile, done) => done(null),
    );
  },
});
