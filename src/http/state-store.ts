import { randomBytes } from 'node:crypto';
import type { Request } from 'express';

type Stored = (error: Error | null, state?: string) => void;
type Checked = (error: Error | null, ok: string | boolean, info?: { message: string }) => void;

/** As passport-oauth2 wants it. It chooses what it passes by how many arguments these take; its types name other choices. */
export interface StateStore {
  store(req: Request, ...rest: never[]): void;
  verify(req: Request, ...rest: never[]): void;
}

const KEY = 'state';
type Kept = Record<string, { state: string; verifier: string | undefined } | undefined>;
const sessionOf = (req: Request) => (req as unknown as { session: Kept }).session;

/** Keeps state and PKCE verifier in what travels with the browser (`http/round-trip`). */
export const stateStore: StateStore = {
  store(req: Request, verifier: string | undefined, _state: unknown, _meta: unknown, done: Stored) {
    const state = randomBytes(24).toString('base64url');
    sessionOf(req)[KEY] = { state, verifier };
    done(null, state);
  },
  verify(req: Request, provided: string, _meta: unknown, done: Checked) {
    const kept = sessionOf(req)[KEY];
    if (kept?.state === provided) done(null, kept.verifier ?? true);
    else done(null, false, { message: 'The state is another one' });
  },
} satisfies StateStore;
