import { z } from 'zod';
import { nameOf, SECOND_FACTOR, waitingTokenOf } from '#src/authentication/code-for-app';
import { factorAnswers, factorIn } from '#src/authentication/factor-answers';
import { proveFactor } from '#src/authentication/finish-sign-in';
import { finish } from '#src/hosted/finish';
import { pageAddress } from '#src/hosted/html';
import { pass, type Ending, type Given, type HostedPage, type Visit } from '#src/hosted/page';
import { secondFactorForm } from '#src/hosted/second-factor-form';
import { showSignIn } from '#src/hosted/sign-in-form';
import { digitsOf, jsonIn, type Typed } from '#src/hosted/typed';
import { CODE } from '#src/one-time-tokens/limits';
import { parsed } from '#src/platform/http/parse';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { deviceOf } from '#src/sessions/device';

const Answer = z.strictObject({ mfaToken: z.string().min(1).max(128), ...factorAnswers });

/** The second step of a sign-in. As `POST /auth/mfa`, but it ends in a code for the app. */
export const secondFactorPage: HostedPage = {
  path: SECOND_FACTOR,
  forApp: true,
  show: showForm,
  async work(visit, typed) {
    const { ctx, req, flow } = visit;
    await pass(limit(ctx, CODE), visit);
    const { mfaToken, ...answer } = parsed(Answer, answerIn(typed));
    const device = deviceOf(req);
    const app = nameOf(flow.app!);
    const given = factorIn(answer);
    const [identity, sealed, method] = await proveFactor(ctx, req, mfaToken, given, device, app);
    return finish(visit, identity, method, sealed);
  },
};

function answerIn({ code, credential, ...rest }: Typed): object {
  return {
    ...rest,
    ...(code !== undefined && { code: digitsOf(code) }),
    ...(credential !== undefined && { credential: jsonIn(credential) }),
  };
}

/** The form once more; or for the first time, after a provider. The token may be void now: then the sign-in begins anew. */
async function showForm(visit: Visit, { problem, typed }: Given): Promise<Ending> {
  const mfaToken = problem ? typed['mfaToken'] : waitingTokenOf(visit.ctx, visit.req);
  if (mfaToken === undefined) return { location: pageAddress(visit, '/sign-in') };
  try {
    if (problem?.code !== 'invalid_code')
      return await secondFactorForm(visit, mfaToken, problem, typed);
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'invalid_code') throw error;
  }
  return showSignIn(visit, { typed: {}, problem: new Problem('invalid_code') });
}
