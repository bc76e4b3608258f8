import { client } from './generated/client.gen.js';
import * as api from './generated/index.js';

const [baseUrl, username] = process.argv.slice(2) as [string, string];
const email = `${username}@example.com`;
const password = 'correct horse battery';

/** Which of the security schemes of a route is used, is for the client to decide. */
let current: api.Tokens | undefined;
client.setConfig({
  baseUrl,
  auth: ({ scheme }) => (scheme === 'bearer' ? current?.accessToken : undefined),
});

function ok<T>({ data, error }: { data?: T; error?: api.Problem }): NonNullable<T> {
  if (error) throw new Error(`${error.code}: ${error.title}`);
  return data!;
}
function refused({ error, response }: { error?: api.Problem; response?: Response }): string {
  if (!error || !response) throw new Error('It was not refused');
  if (response.headers.get('X-Request-Id') !== error.requestId) throw new Error('Another request');
  return adviceFor(error);
}
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
const registered = ok(await api.register({ body: { username, email, password, device } }));
console.log('registered', registered.user.username);

const signIn = (body: api.Credentials) => api.signIn({ body });
const tokens = ok(await signIn({ identifier: username, password }));
ok(await signIn({ username, password }));
ok(await signIn({ email, password }));
console.log('wrong password:', refused(await signIn({ username, password: 'wrong' })));

current = tokens;
const me = ok(await api.getMe());
console.log('me', me.email, me.name, me.roles.join(' '));

const sizes: number[] = [];
let cursor: string | null = null;
do {
  const query: api.ListSessionsData['query'] = { limit: 3, ...(cursor !== null && { cursor }) };
  const page: api.ListedSessionPage = ok(await api.listSessions({ query }));
  sizes.push(page.data.length);
  cursor = page.nextCursor;
} while (cursor !== null);
console.log('sessions', sizes.join(' + '));

const renamed = ok(await api.updateMe({ body: { name: 'Ada' } }));
console.log('renamed', renamed.name);

/** Without a cookie, it is in the body. */
const held = (tokens: { refreshToken?: string }): string => {
  if (tokens.refreshToken === undefined) throw new Error('No refresh token');
  return tokens.refreshToken;
};
const refreshToken = held(tokens);
const fresh = ok(await api.refreshTokens({ body: { refreshToken } }));
console.log('refreshed', fresh.session.id === tokens.session.id, fresh.expiresIn > 0);

ok(await api.signOut({ body: { refreshToken: held(fresh) } }));
ok(await api.signOut({ headers: { authorization: `Bearer ${registered.accessToken}` } }));
current = fresh;
console.log('signed out:', refused(await api.getMe()));
const again = await api.refreshTokens({ body: { refreshToken: held(fresh) } });
console.log('refresh:', refused(again));

// What must compile, and what must not.
export const later: api.Problem['code'] = 'a_code_of_next_year';
export const compiles = () => [
  api.createApiKey({ body: { name: 'backup' } }),
  api.deleteMe({ body: { confirm: 'delete' } }),
  // @ts-expect-error -- a field that is not known
  api.register({ body: { username, password, role: 'admin' } }),
  // @ts-expect-error -- neither a username nor an e-mail address
  api.register({ body: { password } }),
  // @ts-expect-error -- no password
  signIn({ identifier: username }),
  // @ts-expect-error -- a field of another type
  signIn({ identifier: 1, password }),
  // @ts-expect-error -- a value that is not known
  api.signOut({ body: { scope: 'everywhere' } }),
  // @ts-expect-error -- nothing to change
  api.updateMe({ body: {} }),
  // @ts-expect-error -- no body
  api.signIn({}),
  // @ts-expect-error -- a query that is not known
  api.listSessions({ query: { page: 2 } }),
  // @ts-expect-error -- not a member of the answer
  me.password,
];
