import { z } from 'zod';
import { per } from '#src/platform/limits/limit-class';
import { message } from '#src/platform/messages/message';
import {
  AppState,
  CodeChallenge,
  custom,
  defineStrategy,
  DeviceInput,
  EmailInput,
  Problem,
  RedirectUri,
  step,
  type StrategyContext,
} from '#src/strategy-kit/strategy';
import { signInMail, TTL_SECONDS, type Asked } from '#strategies/_email-code';

const env = z.object({
  EMAIL_CODE: z.literal('on').describe('`on` lets people sign in with a code that a mail brings.'),
});
type Context = StrategyContext<z.output<typeof env>>;

const CodeRequest = z
  .strictObject({
    email: EmailInput,
    redirectUri: RedirectUri.optional(),
    codeChallenge: CodeChallenge.optional(),
    state: AppState.optional(),
  })
  .refine((asked) => (asked.redirectUri === undefined) === (asked.codeChallenge === undefined), {
    message: 'A link needs redirectUri and codeChallenge',
    params: { code: 'required' },
    path: ['codeChallenge'],
  })
  .refine(({ redirectUri, state }) => state === undefined || redirectUri !== undefined, {
    message: 'A state is for a link, which needs redirectUri and codeChallenge',
    params: { code: 'required' },
    path: ['redirectUri'],
  })
  .meta({ id: 'EmailCodeRequest', example: { email: 'ada@example.com' } });

const credentials = z
  .strictObject({
    requestToken: z.string().min(1).max(128).meta({ description: 'The answer to your request.' }),
    code: z
      .string()
      .regex(/^\d{6}$/, 'Six digits')
      .meta({ description: 'From the mail.', example: '012345' }),
    device: DeviceInput.optional(),
  })
  .meta({ id: 'EmailCodeCredentials' });

const notAllowed = () => {
  const message = 'This is not one of REDIRECT_URIS';
  const error = { pointer: '/redirectUri', code: 'unknown_redirect_uri', message };
  return new Problem('invalid_request', { members: { errors: [error] } });
};

/** Answers the same for every address, after the same statements: nobody learns who is known here. */
async function request(
  { email, redirectUri, codeChallenge, state }: z.output<typeof CodeRequest>,
  { auth, codes, mails, settings, isRedirectUri }: Context,
): Promise<{ requestToken: string }> {
  if (redirectUri !== undefined && !isRedirectUri(redirectUri)) throw notAllowed();
  if (!(await mails.mayAsk(email.canonical))) return { requestToken: codes.decoy() };
  const user = await auth.users.find(email.canonical);
  const mayJoin = settings.signup === 'open' || (await auth.invitations.isInvited(email.canonical));
  const stranger = mayJoin ? email.display : null;
  const app = redirectUri !== undefined &&
    codeChallenge !== undefined && { redirectUri, codeChallenge, state };
  const { requestToken, code, linkToken } = await codes.issue({
    recipient: email.canonical,
    userId: user?.id,
    data: { email: user?.email ?? email.display, ...(app && { app }) } satisfies Asked,
    ttlSeconds: TTL_SECONDS,
  });
  const mail = signInMail(settings, code, app ? linkToken : undefined);
  await mails.queue(user ? (user.disabledAt ? null : user.email) : stranger, mail, user);
  return { requestToken };
}

export default defineStrategy({
  name: 'email-code',
  kind: 'login',
  summary: 'Sign in with a code that a mail brings',
  amr: ['email'], // RFC 8176 has no value for it
  env,
  credentials,
  steps: {
    request: step({
      summary: 'Ask for a code by mail',
      body: CodeRequest,
      returns: z.object({ requestToken: z.string() }).meta({ id: 'EmailCodeRequested' }),
      status: 202,
      limit: ({ limitMailRequestsPerNetwork, limitMailRequestsPerSite }) => [
        ...per('network', limitMailRequestsPerNetwork),
        ...per('site', limitMailRequestsPerSite),
      ],
      run: request,
    }),
  },
  account: {
    field: 'requestToken',
    // A wrong code counts as a wrong password does: against the user who has the address.
    async find(requestToken, { auth, codes }) {
      const sent = await codes.find(requestToken);
      return sent
        ? auth.users.throttleSubject(sent.recipient)
        : { id: `email-code ${requestToken}`, networks: [] };
    },
  },
  link: {
    title: message('pages', 'email-code.title'),
    text: message('pages', 'email-code.text'),
    button: message('pages', 'email-code.title'),
    usedBefore: message('pages', 'email-code.used-before'),
    find: async (token, { codes }) => (await codes.findLink<Asked>(token))?.data.app,
    async open(token, { codes, resolveAddress }) {
      const sent = await codes.redeemLink<Asked>(token);
      if (!sent?.data.app) return null;
      return { user: await resolveAddress(sent.data.email), app: sent.data.app };
    },
  },
  create: ({ codes, resolveAddress }) =>
    custom(async (req) => {
      const { requestToken, code } = req.body as z.output<typeof credentials>;
      const sent = await codes.redeem<Asked>(requestToken, code);
      return sent ? resolveAddress(sent.data.email) : null;
    }),
});
