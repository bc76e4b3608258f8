import { authenticateWith } from '#src/authentication/authenticate-with';
import { codeForApp, waitingTokenIn } from '#src/authentication/code-for-app';
import type { Identity } from '#src/authentication/sign-in';
import type { SignInMethod } from '#src/authentication/sign-in-policies';
import type { Ending, Visit } from '#src/hosted/page';
import { secondFactorForm } from '#src/hosted/second-factor-form';
import { parsed } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { deviceOf, type Device } from '#src/sessions/device';

/** The strategy of this name, if it is switched on. */
export const strategyNamed = ({ ctx }: Pick<Visit, 'ctx'>, name: string) =>
  ctx.strategies.on.find((each) => each.name === name);

/** Signs in by a strategy of kind `login`, as its own route does. `body`: its credentials. */
export async function signInBy(visit: Visit, name: string, body: object): Promise<Ending> {
  const { ctx, req, res } = visit;
  const strategy = strategyNamed(visit, name);
  if (!strategy) throw new Problem('not_found');
  req.body = parsed(strategy.credentials!, body);
  const identity = await authenticateWith(ctx, name, req, res);
  if (!identity) throw new Problem('invalid_credentials');
  return finish(visit, identity, { strategy: name });
}

/**
 * Ends in the address of the app, with a code; or in a question for a second factor.
 * @throws {Problem} what the sign-in pipeline refuses with
 */
export async function finish(
  visit: Visit,
  identity: Identity,
  method: SignInMethod,
  device: Device = deviceOf(visit.req),
): Promise<Ending> {
  const { ctx, flow } = visit;
  try {
    return { location: await codeForApp(ctx, identity, device, method, flow.app!) };
  } catch (error) {
    const mfaToken = waitingTokenIn(error);
    if (mfaToken === undefined) throw error;
    return secondFactorForm(visit, mfaToken);
  }
}
