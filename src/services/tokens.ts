import { z } from 'zod';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { unsealJson } from '#src/platform/crypto/secrets';
import { SERVICE_SCOPES, type ServiceScope } from '#src/services/scopes';

/** `sat1.` and an encrypted JSON. Opaque: it is good at this server only. */
const PREFIX = 'sat1.';
const PURPOSE = 'service token';
/** Longest token that is looked at, in characters. */
const MAX_LENGTH = 1024;

/** `digest`: of the secret that the token was given for. It ends with the secret. `exp`: seconds since 1970. */
const Content = z.object({
  id: z.uuid(),
  digest: z.string(),
  scopes: z.array(z.enum(SERVICE_SCOPES)),
  exp: z.int(),
});

/** What a service proves itself with: its id and the digest of its secret. */
export interface ProvenSecret {
  id: string;
  digest: string;
  /** What its token is limited to. */
  scopes?: readonly ServiceScope[];
}

/** An access token for a service (RFC 6749 §4.4), which takes the place of its secret for a while. */
export function issueServiceToken(
  { secrets, clock }: Context,
  { id, digest }: ProvenSecret,
  scopes: readonly ServiceScope[],
): string {
  const exp = Math.floor(clock.now() / 1000) + lifetimes.serviceTokenSeconds;
  const content = JSON.stringify({ id, digest, scopes, exp });
  return PREFIX + secrets.seal(PURPOSE, content);
}

/** What a genuine token that has not expired stands for. Undefined for any other text. Costs no query. */
export function readServiceToken(
  { secrets, clock }: Context,
  token: string,
): ProvenSecret | undefined {
  if (!token.startsWith(PREFIX) || token.length > MAX_LENGTH) return undefined;
  const { data } = Content.safeParse(unsealJson(secrets, PURPOSE, token.slice(PREFIX.length)));
  return data && data.exp * 1000 > clock.now() ? data : undefined;
}
