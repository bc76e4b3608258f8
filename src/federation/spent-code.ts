import { Op } from 'sequelize';
import type { Session } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { unsealJson } from '#src/platform/crypto/secrets';
import { endSessions } from '#src/sessions/end-sessions';

/** A code that was spent, and what it was for. It belongs to nobody: what makes codes void leaves it. */
const PURPOSE = 'spent sign-in code';

/** Which OAuth client asked for a code, and where it got it (RFC 6749 §4.1.3). */
export interface CodeClient {
  clientId?: string | undefined;
  redirectUri?: string | undefined;
}

/** What whoever brings a code must know. */
export interface CodeProof extends CodeClient {
  codeChallenge: string;
}

interface Spent {
  proof: CodeProof;
  /** The session that came of it, when it has started. */
  sessionId?: string;
}

/** Of many who bring a code at the same time, one gets true. */
export async function markSpent(
  { db, clock, secrets }: Context,
  digest: string,
  proof: CodeProof,
): Promise<boolean> {
  const [marked] = await db.OneTimeToken.update(
    {
      purpose: PURPOSE,
      userId: null,
      data: secrets.seal(PURPOSE, JSON.stringify({ proof } satisfies Spent)),
      expiresAt: clock.date(lifetimes.spentCodeSeconds * 1000),
    },
    { where: { digest, purpose: { [Op.ne]: PURPOSE } } },
  );
  return marked > 0;
}

/** Remembers which session came of a code. */
export async function noteSession(
  { db, secrets }: Context,
  digest: string,
  proof: CodeProof,
  { id: sessionId }: Pick<Session, 'id'>,
): Promise<void> {
  const data = secrets.seal(PURPOSE, JSON.stringify({ proof, sessionId } satisfies Spent));
  await db.OneTimeToken.update({ data }, { where: { digest, purpose: PURPOSE } });
}

/**
 * A code that comes again with the right verifier was in two hands, and the session that came of it ends (RFC 6749
 * §4.1.2). Whoever saw the code alone, in a history or a log, ends nothing: the verifier never leaves the app (RFC 7636).
 * A request that was sent twice at once comes while there is no session yet: it is refused, and ends nothing.
 */
export async function endReplayed(
  ctx: Context,
  digest: string,
  isProved: (proof: CodeProof) => boolean,
): Promise<void> {
  const { db, clock, secrets } = ctx;
  const where = { digest, purpose: PURPOSE, expiresAt: { [Op.gt]: clock.date() } };
  const data = (await db.OneTimeToken.findOne({ attributes: ['data'], where }))?.data;
  const spent = data ? (unsealJson(secrets, PURPOSE, data) as Spent | undefined) : undefined;
  if (spent?.sessionId === undefined || !isProved(spent.proof)) return;
  await endSessions(ctx, { id: spent.sessionId }, 'reused');
}
