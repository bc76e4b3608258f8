import { randomBytes } from 'node:crypto';
import type { Request } from 'express';

type Stored = (error: Error | null, state?: string) => void;
type Verified = (error: Error | null, ok: string | boolean, info?: { message: string }) => void;

/**
 * A state store of passport-oauth2. The package chooses what it passes by how many parameters these
 * functions have, and its types name other choices.
 */
export interface StateStore {
  store(req: Request, ...rest: never[]): void;
  verify(req: Request, ...rest: never[]): void;
}

/** The parameters in which providers return the state: of OAuth 2.0, of SAML and of OAuth 1.0. */
export const STATE_PARAMETERS = ['state', 'RelayState', 'oauth_token'] as const;

const KEY = 'state';
type Session = Record<string, { state: string; verifier: string | undefined } | undefined>;
const sessionOf = (req: Request) => (req as unknown as { session: Session }).session;

/** Stores state and PKCE verifier in `req.session`, which is sent in an encrypted cookie. */
export const stateStore: StateStore = {
  store(req: Request, verifier: string | undefined, _state: unknown, _meta: unknown, done: Stored) {
    const state = randomBytes(24).toString('base64url');
    sessionOf(req)[KEY] = { state, verifier };
    done(null, state);
  },
  verify(req: Request, provided: string, _meta: unknown, done: Verified) {
    const stored = sessionOf(req)[KEY];
    if (stored?.state === provided) done(null, stored.verifier ?? true);
    else done(null, false, { message: 'The state is another one' });
  },
} satisfies StateStore;
