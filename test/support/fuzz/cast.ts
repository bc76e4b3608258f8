import { password } from '#test/support/app';
import type { clientOf } from '#test/support/client';
import type { Known } from '#test/support/fuzz/values';

export interface Member {
  id: string;
  username: string;
  password: string;
  token: string;
  refreshToken: string;
  sessionId: string;
}
/** Who takes part, with what they know. Requests are made of it. */
export interface Cast {
  user: Member;
  admin: Member;
  keys: readonly string[];
  refreshTokens: readonly string[];
  known: Known;
}

type Ask = ReturnType<typeof clientOf>;
let made = 0;

async function register(ask: Ask): Promise<Member> {
  const username = `member${process.pid}x${++made}`;
  const { body, status, text } = await ask('POST', '/auth/register', {
    body: { username, email: `${username}@fuzz.example`, password, name: 'A member' },
  });
  if (status !== 201) throw new Error(`Nobody can register: ${text}`);
  return {
    id: body.user.id,
    username,
    password,
    token: body.accessToken,
    refreshToken: body.refreshToken,
    sessionId: body.session.id,
  };
}

async function keyOf(ask: Ask, { token }: Member): Promise<string> {
  const { body, text } = await ask('POST', '/me/api-keys', { token, body: { name: 'fuzz' } });
  if (!body?.key) throw new Error(`No key was made: ${text}`);
  return body.key as string;
}

/** New people. `grant` makes one of them an administrator. */
export async function newCast(ask: Ask, grant: (member: Member) => Promise<void>): Promise<Cast> {
  const [user, admin, other] = [await register(ask), await register(ask), await register(ask)];
  await grant(admin);
  const keys = [await keyOf(ask, user), await keyOf(ask, admin)];
  const all = [user, admin, other];
  const refreshTokens = all.map((each) => each.refreshToken);
  const lists: [fields: RegExp, values: readonly string[]][] = [
    [/password/i, [password, 'another good passphrase', 'password']],
    [/refresh/i, refreshTokens],
    [/token$|^code/i, [...refreshTokens, ...all.map(({ token }) => token), ...keys, '000000']],
    [/email|identifier/i, all.flatMap(({ username }) => [username, `${username}@fuzz.example`])],
    [/name/i, [...all.map(({ username }) => username), 'admin', 'user']],
    [/role|scope/i, ['user', 'moderator', 'admin']],
    [/id$|user|session/i, all.flatMap(({ id, sessionId }) => [id, sessionId])],
    [/provider|strategy/i, ['github', 'local', 'jwt']],
    [/uri/i, ['https://app.example/signed-in', 'https://app.example', 'javascript:alert(1)']],
  ];
  const known: Known = (field) => lists.find(([fields]) => fields.test(field))?.[1] ?? [];
  return { user, admin, keys, refreshTokens, known };
}

/** Everybody can still do what they should be able to: they may have changed or deleted themselves. */
export async function isIntact(ask: Ask, { user, admin, keys }: Cast): Promise<boolean> {
  const answers = [
    await ask('GET', '/me', { token: user.token }),
    await ask('GET', '/admin/users', { token: admin.token }),
    await ask('GET', '/me', { headers: { 'x-api-key': keys[0]! } }),
    await ask('POST', '/auth/login', { body: { identifier: user.username, password } }),
  ];
  return answers.every(({ status }) => status === 200);
}
