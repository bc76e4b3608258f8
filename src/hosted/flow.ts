import type { Request } from 'express';
import { z } from 'zod';
import { appParameters } from '#src/authentication/redirect-uri';
import { invalidFields } from '#src/platform/http/parse';
import type { Settings } from '#src/platform/settings/settings';
import type { AppRequest } from '#src/strategy-kit/app-request';

/** What an app begins a sign-in with. Every page of it has this in its address, and nothing secret. */
export interface Flow {
  /** The app that waits. Undefined if nobody has begun anything. */
  app?: AppRequest;
  loginHint?: string | undefined;
  /** What links and forms of a page go on with: `?redirectUri=…`, or nothing. */
  query: string;
}

/** What does not have the right form is left out. */
const Hints = z.object({
  ui_locales: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9-]+( [A-Za-z0-9-]+)*$/)
    .optional()
    .catch(undefined),
  login_hint: z
    .string()
    .regex(/^\P{Cc}{1,256}$/u)
    .optional()
    .catch(undefined),
});

/**
 * Reads it from an address. Other parameters are ignored.
 * @throws {Problem} 400 `invalid_request`: then nothing is known of where the browser may go
 */
export function flowOf(
  ctx: { settings: Settings },
  { query: given }: Pick<Request, 'query'>,
): Flow {
  const hints = Hints.parse({ ...given });
  if (given['redirectUri'] === undefined && given['codeChallenge'] === undefined)
    return { loginHint: hints.login_hint, query: queryOf(hints) };
  const { data, error } = z
    .object(appParameters(ctx.settings))
    .safeParse({ ...given }, { reportInput: true });
  if (error) throw invalidFields(error);
  const { redirectUri, codeChallenge, state } = data;
  const app = { redirectUri, codeChallenge, state };
  return { app, loginHint: hints.login_hint, query: queryOf({ ...app, ...hints }) };
}

export function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter((pair): pair is [string, string] => !!pair[1]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
