import * as api from './generated/client.js';

const username = process.argv[3]!;
const email = `${username}@example.com`;
const password = 'correct horse battery';
const as = ({ accessToken }: api.Tokens) => ({
  headers: { authorization: `Bearer ${accessToken}` },
});

type Refused = { data: api.Problem; headers: Headers };
const isRefused = (answer: { status: number }): answer is Refused & { status: number } =>
  answer.status >= 400;
function refused(answer: { status: number }): string {
  if (!isRefused(answer)) throw new Error('It was not refused');
  if (answer.headers.get('X-Request-Id') !== answer.data.requestId)
    throw new Error('Another request');
  return adviceFor(answer.data);
}
const unexpected = ({ data }: { data: api.Problem }) => new Error(`${data.code}: ${data.title}`);
/** Codes that are not known here yet are no mistake. */
function adviceFor({ code, action, reason }: api.Problem): string {
  switch (code) {
    case 'invalid_credentials':
      return 'try again';
    case 'invalid_grant':
      return `sign in again, ${reason}`;
    default:
      return `${code}, ${action}`;
  }
}

const device: api.Device = { kind: 'desktop', name: 'test' };
const registered = await api.register({ username, email, password, device });
if (registered.status !== 201) throw unexpected(registered);
console.log('registered', registered.data.user.username);

async function signIn(credentials: api.Credentials): Promise<api.Tokens> {
  const answer = await api.signIn(credentials);
  if (answer.status !== 200) throw unexpected(answer);
  return answer.data;
}
const tokens = await signIn({ identifier: username, password });
await signIn({ username, password });
await signIn({ email, password });
console.log('wrong password:', refused(await api.signIn({ username, password: 'wrong' })));

const me = await api.getMe(as(tokens));
if (me.status !== 200) throw unexpected(me);
console.log('me', me.data.email, me.data.name, me.data.roles.join(' '));

const sizes: number[] = [];
let cursor: string | null = null;
do {
  const params: api.ListSessionsParams = { limit: 3, ...(cursor !== null && { cursor }) };
  const page: api.listSessionsResponse = await api.listSessions(params, as(tokens));
  if (page.status !== 200) throw unexpected(page);
  sizes.push(page.data.data.length);
  cursor = page.data.nextCursor;
} while (cursor !== null);
console.log('sessions', sizes.join(' + '));

const renamed = await api.updateMe({ name: 'Ada' }, as(tokens));
if (renamed.status !== 200) throw unexpected(renamed);
console.log('renamed', renamed.data.name);

/** Without a cookie, it is in the body. */
const held = (tokens: { refreshToken?: string }): string => {
  if (tokens.refreshToken === undefined) throw new Error('No refresh token');
  return tokens.refreshToken;
};
const fresh = await api.refreshTokens({ refreshToken: held(tokens) });
if (fresh.status !== 200) throw unexpected(fresh);
const { session, expiresIn } = fresh.data;
const refreshToken = held(fresh.data);
console.log('refreshed', session.id === tokens.session.id, expiresIn > 0);

const signedOut = await api.signOut({ refreshToken });
if (signedOut.status !== 204) throw unexpected(signedOut);
const withoutBody = await api.signOut(undefined, as(registered.data));
if (withoutBody.status !== 204) throw unexpected(withoutBody);
console.log('signed out:', refused(await api.getMe(as(fresh.data))));
console.log('refresh:', refused(await api.refreshTokens({ refreshToken })));

// What must compile, and what must not.
export const later: api.Problem['code'] = 'a_code_of_next_year';
export const compiles = () => [
  api.createApiKey({ name: 'backup' }),
  api.deleteMe({ confirm: 'delete' }),
  // @ts-expect-error -- a field that is not known
  api.register({ username, password, role: 'admin' }),
  // @ts-expect-error -- neither a username nor an e-mail address
  api.register({ password }),
  // @ts-expect-error -- no password
  api.signIn({ identifier: username }),
  // @ts-expect-error -- a field of another type
  api.signIn({ identifier: 1, password }),
  // @ts-expect-error -- a value that is not known
  api.signOut({ scope: 'everywhere' }),
  // @ts-expect-error -- nothing to change
  api.updateMe({}),
  // @ts-expect-error -- no body
  api.signIn(),
  // @ts-expect-error -- a query that is not known
  api.listSessions({ page: 2 }),
  // @ts-expect-error -- left out is not the same as undefined
  api.register({ username, password, name: undefined }),
  // @ts-expect-error -- not a member of the answer
  me.data.password,
];
