import createClient from 'openapi-fetch';
import type { components, operations, paths } from './generated/client.js';

type Schemas = components['schemas'];
type Problem = Schemas['Problem'];
type Tokens = Schemas['Tokens'];

const [baseUrl, username] = process.argv.slice(2) as [string, string];
const email = `${username}@example.com`;
const password = 'correct horse battery';
const api = createClient<paths>({ baseUrl });
const as = ({ accessToken }: Tokens) => ({ authorization: `Bearer ${accessToken}` });

function ok<T>({ data, error }: { data?: T; error?: Problem }): T {
  if (error) throw new Error(`${error.code}: ${error.title}`);
  return data!;
}
function refused({ error, response }: { error?: Problem; response: Response }): string {
  if (!error) throw new Error('It was not refused');
  if (response.headers.get('X-Request-Id') !== error.requestId) throw new Error('Another request');
  return adviceFor(error);
}
/** Codes that are not known here yet are no mistake. */
function adviceFor({ code, action, reason }: Problem): string {
  switch (code) {
    case 'invalid_credentials':
      return 'try again';
    case 'invalid_grant':
      return `sign in again, ${reason}`;
    default:
      return `${code}, ${action}`;
  }
}

// openapi-fetch infers its options: it finds a field that is not known only if the body has a declared type.
const register = (body: Schemas['Registration']) => api.POST('/auth/register', { body });
const signIn = (body: Schemas['Credentials']) => api.POST('/auth/login', { body });

const device: Schemas['Device'] = { kind: 'desktop', name: 'test' };
const registered = ok(await register({ username, email, password, device }));
console.log('registered', registered.user.username);

const tokens = ok(await signIn({ identifier: username, password }));
ok(await signIn({ username, password }));
ok(await signIn({ email, password }));
console.log('wrong password:', refused(await signIn({ username, password: 'wrong' })));

const me = ok(await api.GET('/me', { headers: as(tokens) }));
console.log('me', me.email, me.name, me.roles.join(' '));

const sizes: number[] = [];
let cursor: string | null = null;
do {
  const query: operations['listSessions']['parameters']['query'] = {
    limit: 3,
    ...(cursor !== null && { cursor }),
  };
  const page: Schemas['ListedSessionPage'] = ok(
    await api.GET('/me/sessions', { params: { query }, headers: as(tokens) }),
  );
  sizes.push(page.data.length);
  cursor = page.nextCursor;
} while (cursor !== null);
console.log('sessions', sizes.join(' + '));

const renamed = ok(await api.PATCH('/me', { body: { name: 'Ada' }, headers: as(tokens) }));
console.log('renamed', renamed.name);

/** Without a cookie, it is in the body. */
const held = (tokens: { refreshToken?: string }): string => {
  if (tokens.refreshToken === undefined) throw new Error('No refresh token');
  return tokens.refreshToken;
};
const refreshToken = held(tokens);
const fresh = ok(await api.POST('/auth/refresh', { body: { refreshToken } }));
console.log('refreshed', fresh.session.id === tokens.session.id, fresh.expiresIn > 0);

ok(await api.POST('/auth/logout', { body: { refreshToken: held(fresh) } }));
ok(await api.POST('/auth/logout', { headers: as(registered) }));
console.log('signed out:', refused(await api.GET('/me', { headers: as(fresh) })));
const again = await api.POST('/auth/refresh', { body: { refreshToken: held(fresh) } });
console.log('refresh:', refused(again));

// What must compile, and what must not.
export const later: Problem['code'] = 'a_code_of_next_year';
export const retryAfter = (
  headers: operations['signIn']['responses'][429]['headers'],
): number | undefined => headers['Retry-After'];
export const compiles = () => [
  api.POST('/me/api-keys', { body: { name: 'backup' } }),
  api.DELETE('/me', { body: { confirm: 'delete' } }),
  // @ts-expect-error -- a field that is not known
  register({ username, password, role: 'admin' }),
  // @ts-expect-error -- neither a username nor an e-mail address
  register({ password }),
  // @ts-expect-error -- no password
  signIn({ identifier: username }),
  // @ts-expect-error -- a field of another type
  signIn({ identifier: 1, password }),
  // @ts-expect-error -- a value that is not known
  api.POST('/auth/logout', { body: { scope: 'everywhere' } }),
  // @ts-expect-error -- nothing to change
  api.PATCH('/me', { body: {} }),
  // @ts-expect-error -- no body
  api.POST('/auth/login'),
  // @ts-expect-error -- a query that is not known
  api.GET('/me/sessions', { params: { query: { page: 2 } } }),
  // @ts-expect-error -- left out is not the same as undefined
  register({ username, password, name: undefined }),
  // @ts-expect-error -- not a member of the answer
  me.password,
];
