import { MultiSamlStrategy } from '@node-saml/passport-saml';
import { describe } from '#strategies/_certificates';

type Arguments = Parameters<MultiSamlStrategy['authenticate']>;

/** In a request: what the app asked of this sign-in. */
const PROMPT = Symbol('prompt');

/** The SAML options of a request: `prompt=login` and `prompt=none` of OpenID Connect. */
export function promptOptions(req: object): { forceAuthn?: boolean; passive?: boolean } {
  const prompt = (req as { [PROMPT]?: string })[PROMPT];
  if (prompt === 'none') return { passive: true };
  return prompt?.split(' ').includes('login') ? { forceAuthn: true } : {};
}

/** What an identity provider answers for a request that it could not use: that is not the user's. */
const OUR_MISTAKE =
  /Requester|VersionMismatch|InvalidNameIDPolicy|RequestUnsupported|NoAuthnContext|UnsupportedBinding/;

/** The strategy of the library, which says why it refused. */
export class ExplainingSamlStrategy extends MultiSamlStrategy {
  /** `this` is made for one request, by the host. */
  override authenticate(...[req, options]: Arguments): void {
    Object.assign(req, { [PROMPT]: (options as { prompt?: string }).prompt });
    const tell = this.error.bind(this);
    this.error = (error: Error) => {
      const status = (error as { xmlStatus?: string }).xmlStatus;
      if (status && !OUR_MISTAKE.test(status)) this.fail({ message: error.message }, 401);
      else tell(explained(error, req, this._options.idpCert));
    };
    super.authenticate(req, options);
  }
}

/** Adds the certificate that came with a signature which none of ours has made. */
function explained(error: Error, { body }: { body?: unknown }, ours: unknown): Error {
  if (!/signature/i.test(error.message)) return error;
  const certificate = certificateIn((body as { SAMLResponse?: string }).SAMLResponse);
  if (!certificate) return error;
  const known = [ours].flat().map((pem) => describe(String(pem)));
  return new Error(
    `The certificate of the answer is ${certificate}. SAML_IDP_CERT has ${known.join('; ')}. If it is the identity provider's, add it there.`,
    { cause: error },
  );
}

function certificateIn(response: string | undefined): string | undefined {
  try {
    const xml = Buffer.from(response!, 'base64').toString();
    const [, base64] = /<(?:[\w.-]+:)?X509Certificate>([^<]+)</.exec(xml)!;
    return describe(Buffer.from(base64!, 'base64'));
  } catch {
    return undefined;
  }
}
