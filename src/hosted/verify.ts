import { z } from 'zod';
import { resendVerification, verifyEmail } from '#src/email/verify-email';
import { heading, link, pageAddress } from '#src/hosted/html';
import { pass, type Ending, type HostedPage, type Visit } from '#src/hosted/page';
import { RESEND, VERIFY, verifyForm } from '#src/hosted/verify-form';
import { digitsOf } from '#src/hosted/typed';
import { CODE } from '#src/one-time-tokens/limits';
import { FORGOT } from '#src/passwords/limits';
import { parsed } from '#src/platform/http/parse';
import { limit } from '#src/platform/http/rate-limit';
import { Email, Password } from '#src/users/schemas';

const Verification = z.strictObject({
  email: Email,
  code: z.string().regex(/^\d{6}$/, 'Six digits'),
  password: Password,
});
const Again = z.strictObject({ email: Email });

/** Confirms an address with the digits of the mail, as `POST /auth/email/verify` does. No app has to wait. */
export const verifyPage: HostedPage = {
  path: VERIFY,
  show: (visit, { typed, problem }) =>
    verifyForm(visit, {
      email: typed['email'] ?? visit.flow.loginHint,
      problem,
      ...(visit.req.query['why'] === 'unverified' && { line: 'verify.unverified' }),
    }),
  async work(visit, { code, ...rest }) {
    const given = parsed(Verification, { ...rest, code: digitsOf(code) });
    await pass(limit(visit.ctx, CODE), visit);
    await verifyEmail(visit.ctx, given);
    return verified(visit, given.email.display);
  },
};

/** Mails new digits, as `POST /auth/email/verify/resend` does. */
export const resendPage: HostedPage = {
  path: RESEND,
  show: (visit, { typed, problem }) =>
    problem
      ? verifyForm(visit, { email: typed['email'], problem })
      : { location: pageAddress(visit, VERIFY) },
  async work(visit, typed) {
    const { email } = parsed(Again, typed);
    await pass(limit(visit.ctx, FORGOT), visit);
    await resendVerification(visit.ctx, email, visit.flow.onward);
    return verifyForm(visit, { email: email.display });
  },
};

/** On to the sign-in that it was in the way of. */
function verified(visit: Visit, email: string): Ending {
  const { ctx, flow, text } = visit;
  if (!flow.app) {
    const body = heading(text('verify.done-title'), text('verify.done'));
    return {
      title: text('verify.done-title'),
      body: `${body}<p class="links">${link(visit, '/sign-in', 'title')}</p>`,
    };
  }
  const query = new URLSearchParams(flow.query);
  query.set('login_hint', email);
  query.set('done', 'verified');
  return { location: `${ctx.settings.basePath}/sign-in?${query.toString()}` };
}
