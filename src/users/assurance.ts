/**
 * How sure the server is of somebody: `aal1` after one factor, `aal2` after two (NIST SP 800-63B). It is what a session
 * and its tokens call `acr`.
 */
export type Acr = 'aal1' | 'aal2';

/** The columns of a session that say how it was proved. See `models/session`. */
export interface ProofColumns {
  readonly amr: string;
  readonly aal2At: Date | null;
  readonly authenticatedAt: Date | null;
  readonly createdAt: Date;
}

/** How somebody proved who they are. */
export interface Proof {
  /** RFC 8176. */
  amr: string[];
  acr: Acr;
  /** When they last proved what `acr` says. */
  authTime: Date;
}

/**
 * True for two factors: `mfa`, which whoever checked the second one adds; or a key in hardware (`hwk`) that has verified
 * its user (`user`).
 */
export const isTwoFactors = (amr: readonly string[]): boolean =>
  amr.includes('mfa') || (amr.includes('hwk') && amr.includes('user'));

/** When somebody last proved who they are, by whatever means. A row that was just made has no default values yet. */
export const lastProved = ({
  authenticatedAt,
  createdAt,
}: Pick<ProofColumns, 'authenticatedAt' | 'createdAt'>): Date => authenticatedAt ?? createdAt;

/** What the columns say. A second factor that was proved before counts on; `authTime` is then its time. */
export const proofOf = (session: ProofColumns): Proof => ({
  amr: methodsIn(session.amr),
  acr: session.aal2At ? 'aal2' : 'aal1',
  authTime: session.aal2At ?? lastProved(session),
});

export const methodsIn = (amr: string): string[] => amr.split(' ').filter((each) => each !== '');

/** What the column `amr` is for these and more methods, each once. */
export const methodsOf = (...lists: (readonly string[])[]): string =>
  [...new Set(lists.flat())].join(' ');
