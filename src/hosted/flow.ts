import type { Request } from 'express';
import { z } from 'zod';
import { appParameters } from '#src/authentication/redirect-uri';
import { invalidFields } from '#src/platform/http/parse';
import type { Onward } from '#src/platform/mail/template';
import type { Settings } from '#src/platform/settings/settings';
import type { AppRequest } from '#src/strategy-kit/app-request';

/** What an app begins a sign-in with. Every page of it has this in its address, and nothing secret. */
export interface Flow {
  /** The app that waits. Undefined if nobody has begun anything. */
  app?: AppRequest;
  /** The app to go back to after a mailed link. There it begins a sign-in of its own. */
  backTo?: string;
  loginHint?: string | undefined;
  /** What links and forms of a page go on with: `?redirectUri=…`, or nothing. */
  query: string;
  /** What links in mails of a page go on with. */
  onward: Onward;
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
export function flowOf({ settings }: WithSettings, { query: given }: Pick<Request, 'query'>): Flow {
  const { login_hint: loginHint, ui_locales } = Hints.parse({ ...given });
  const hints = { login_hint: loginHint, ui_locales };
  const language = ui_locales === undefined ? {} : { ui_locales };
  if (given['redirectUri'] === undefined && given['codeChallenge'] === undefined)
    return { loginHint, query: queryOf(hints), onward: language };
  const { redirectUri, codeChallenge, state } = read(appParameters(settings), given);
  const app = { redirectUri, codeChallenge, state };
  const onward = { redirectUri, ...language };
  return { app, loginHint, query: queryOf({ ...app, ...hints }), onward };
}

/**
 * The same for the page of a mailed link, which has the address of the app alone.
 * @throws {Problem} 400 `invalid_request`
 */
export function linkFlowOf(ctx: WithSettings, req: Pick<Request, 'query'>): Flow {
  const { redirectUri, codeChallenge, ...others } = req.query;
  if (redirectUri === undefined || codeChallenge !== undefined) return flowOf(ctx, req);
  const { redirectUri: backTo } = read(
    { redirectUri: appParameters(ctx.settings).redirectUri },
    { redirectUri },
  );
  const { onward } = flowOf(ctx, { query: others });
  const kept = { redirectUri: backTo, ...onward };
  return { backTo, query: queryOf(kept), onward: kept };
}

interface WithSettings {
  settings: Settings;
}

function read<T extends z.ZodRawShape>(shape: T, given: Request['query']) {
  const { data, error } = z.object(shape).safeParse({ ...given }, { reportInput: true });
  if (error) throw invalidFields(error);
  return data;
}

export function queryOf(members: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(members).filter((pair): pair is [string, string] => !!pair[1]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given).toString()}`;
}
