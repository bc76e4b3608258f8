import type { Heard, Server, Tokens } from '#src/conformance/run-server';
import { must } from '#src/conformance/environment';
import { lifetimes } from '#src/lifetimes';

interface ServerScenario {
  name: string;
  title: string;
  run: (server: Server) => Promise<void>;
}

const AT_ONCE = 5;
/** A replaced token is good for so long, whoever uses its successor. And a second, because both clocks are read in seconds. */
const WINDOW_SECONDS = lifetimes.refreshReuseSeconds + 1;

const said = ({ status, body }: Heard) =>
  [status, body['code'], body['action'], body['reason'], body['sessionStatus']]
    .filter((each) => typeof each === 'string' || typeof each === 'number')
    .join(' ');
/** `expected`: `400 invalid_grant sign_in revoked ended`, or the beginning of it. */
const answers = (heard: Heard, expected: string, what: string) =>
  must(said(heard).startsWith(expected), `${what} is answered ${said(heard)}, not ${expected}`);

function tokensIn(heard: Heard, what: string): Tokens {
  answers(heard, '200', what);
  const { accessToken, refreshToken, session } = heard.body as Partial<Tokens>;
  const isWhole = Boolean(accessToken && refreshToken && session?.id);
  must(isWhole, `The answer to ${what} lacks accessToken, refreshToken or session.id`);
  return { accessToken: accessToken!, refreshToken: refreshToken!, session: session! };
}
const entered = async ({ signIn }: Server) => tokensIn(await signIn(), 'a sign-in');
const renewed = async ({ refresh }: Server, { refreshToken }: Tokens, what = 'a refresh') =>
  tokensIn(await refresh(refreshToken), what);
/** The first use of an access token tells the server that its refresh token has arrived. */
const used = async ({ ask }: Server, { accessToken: token }: Tokens) =>
  answers(await ask('GET', '/me', { token }), '200', 'A request with a new access token');
const isSame = (one: Tokens, other: Tokens) =>
  must(one.refreshToken === other.refreshToken, 'The successor is another one than before');

/** Nothing of the session is good any more. */
async function hasEnded(server: Server, tokens: Tokens, reason: string): Promise<void> {
  const refused = await server.refresh(tokens.refreshToken);
  answers(refused, `400 invalid_grant sign_in ${reason} ended`, 'A refresh of an ended session');
  const guarded = await server.ask('GET', '/me', { token: tokens.accessToken });
  answers(guarded, '401 session_ended sign_in', 'A request of an ended session');
}

/** What clients that keep the rules of docs/clients.md rely on. */
export const serverScenarios: readonly ServerScenario[] = [
  {
    name: 'tokens',
    title: 'A sign-in answers tokens, which nobody on the way may keep',
    async run({ signIn }) {
      const heard = await signIn();
      tokensIn(heard, 'a sign-in');
      must(Number(heard.body['expiresIn']) > 0, 'expiresIn is no number of seconds');
      const cached = heard.headers.get('cache-control') ?? '';
      must(cached.includes('no-store'), 'Tokens lack Cache-Control: no-store');
    },
  },
  {
    name: 'rotation',
    title: 'A refresh answers a successor in the same session',
    async run(server) {
      const first = await entered(server);
      const second = await renewed(server, first);
      must(first.refreshToken !== second.refreshToken, 'The refresh token stays the same');
      must(first.session.id === second.session.id, 'A refresh starts another session');
      await used(server, second);
    },
  },
  {
    name: 'at-once',
    title: `${AT_ONCE} refreshes at once with one token get the same successor`,
    async run(server) {
      const first = await entered(server);
      const all = Array.from({ length: AT_ONCE }, () => renewed(server, first, 'one of several'));
      const [one, ...others] = await Promise.all(all);
      for (const other of others) isSame(one!, other);
      await used(server, one!);
    },
  },
  {
    name: 'unused-successor',
    title: 'A token stays good, after a while too, until its successor is used',
    async run(server) {
      const first = await entered(server);
      const second = await renewed(server, first);
      await server.pass(WINDOW_SECONDS);
      isSame(second, await renewed(server, first, 'the same token again'));
    },
  },
  {
    name: 'replaced-token',
    title: 'A replaced token ends the session when its successor was used a while ago',
    async run(server) {
      const first = await entered(server);
      const second = await renewed(server, first);
      await used(server, second);
      await server.pass(WINDOW_SECONDS);
      const reused = await server.refresh(first.refreshToken);
      answers(reused, '400 invalid_grant sign_in reused ended', 'A replaced token');
      await hasEnded(server, second, 'revoked');
    },
  },
  {
    name: 'older-token',
    title: 'A token that was replaced twice ends the session at once',
    async run(server) {
      const first = await entered(server);
      const second = await renewed(server, first);
      await used(server, second);
      const third = await renewed(server, second);
      await used(server, third);
      const reused = await server.refresh(first.refreshToken);
      answers(reused, '400 invalid_grant sign_in reused ended', 'An older token');
      await hasEnded(server, third, 'revoked');
    },
  },
  {
    name: 'unknown-token',
    title: 'A token that the server never made is unknown, and ends nothing',
    async run(server) {
      const tokens = await entered(server);
      const changed = `${tokens.refreshToken.slice(0, -4)}AAAA`;
      for (const text of ['something else', changed])
        answers(
          await server.refresh(text),
          '400 invalid_grant sign_in unknown unknown',
          'A text that is no token',
        );
      await renewed(server, tokens);
    },
  },
  {
    name: 'sign-out',
    title: 'A sign-out ends the session, also with a replaced token, and always answers 204',
    async run(server) {
      const first = await entered(server);
      const second = await renewed(server, first);
      const { refreshToken } = first;
      for (const token of [refreshToken, refreshToken, 'something else']) {
        const body = { refreshToken: token };
        answers(await server.ask('POST', '/auth/logout', { body }), '204', 'A sign-out');
      }
      await hasEnded(server, second, 'revoked');
    },
  },
  {
    name: 'ended-elsewhere',
    title: 'A session that is ended on another device refreshes no more',
    async run(server) {
      const [here, elsewhere] = [await entered(server), await entered(server)];
      const path = `/me/sessions/${here.session.id}`;
      const ended = await server.ask('DELETE', path, { token: elsewhere.accessToken });
      answers(ended, '204', 'Ending another session');
      await hasEnded(server, here, 'revoked');
      await renewed(server, elsewhere);
    },
  },
  {
    name: 'refusals',
    title: 'A refusal says what to do next',
    async run({ ask, signIn }) {
      const stranger = await ask('GET', '/me');
      answers(stranger, '401 token_missing sign_in', 'A request without a token');
      const challenge = stranger.headers.get('www-authenticate') ?? '';
      must(challenge.startsWith('Bearer'), 'A 401 lacks WWW-Authenticate: Bearer');
      const type = stranger.headers.get('content-type') ?? '';
      must(type.startsWith('application/problem+json'), 'A refusal is no application/problem+json');
      const forged = await ask('GET', '/me', { token: 'something-else' });
      answers(forged, '401 token_invalid sign_in', 'A forged access token');
      answers(await signIn('wrong'), '401 invalid_credentials fix_request', 'A wrong password');
      const empty = await ask('POST', '/auth/refresh', { body: {} });
      answers(empty, '400 invalid_request fix_request', 'A refresh without a token');
    },
  },
];
