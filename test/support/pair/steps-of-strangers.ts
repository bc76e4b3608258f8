import * as fc from 'fast-check';
import { nastyText } from '#test/support/fuzz/values';
import { ask, keep, newPerson, type Person, type Side } from '#test/support/pair/side';
import {
  back,
  chosen,
  fromEnd,
  nameOf,
  naming,
  PASSWORDS,
  secretOf,
  spelling,
  spelt,
  steps,
  stepsOf,
  typed,
  type Naming,
  type Step,
} from '#test/support/pair/step';

const name = fc.constantFrom(
  'anna',
  'Anna',
  'ánna',
  'kim',
  'ida',
  'straße',
  'strasse',
  'いろは',
  'admin',
);
const text = fc.oneof(fc.constantFrom('Ada', 'Zoë 🦊', 'ﬁ'), nastyText);
const device = fc.option(
  fc.record(
    { kind: fc.constantFrom('web', 'mobile', 'other'), name: text, platform: text },
    { requiredKeys: [] },
  ),
  { nil: undefined },
);

interface Registration {
  name: string;
  spelling: string;
  has: 'username' | 'email' | 'both';
  password: string;
  shown: string | undefined;
  device: object | undefined;
}
export const register = steps<Registration>(
  'register',
  {
    name,
    spelling,
    has: fc.constantFrom('username', 'email', 'both', 'both'),
    password: chosen,
    shown: fc.option(text, { nil: undefined }),
    device,
  },
  async (side, { name, spelling, has, password, shown, device }) => {
    const own = spelt(`${name}.${side.prefix}`, spelling);
    const names = {
      username: has === 'email' ? undefined : own,
      email: has === 'username' ? undefined : `${own}@pair.example`,
    };
    return registerAs(side, names, password, { name: shown, device });
  },
);

async function registerAs(
  side: Side,
  names: Pick<Person, 'username' | 'email'>,
  password: string,
  more: object = {},
) {
  const answer = await side.ask('POST', '/auth/register', {
    body: { ...names, password, ...more },
  });
  keep(side, answer, password);
  if (answer.status === 202) side.people.push({ ...newPerson(names), password });
  return answer;
}

/** Somebody with both kinds of name, who is there from the beginning. */
export const registering = (name: string): Step => ({
  toString: () => `register ${name}`,
  run(side) {
    const username = `${name}.${side.prefix}`;
    return registerAs(side, { username, email: `${username}@pair.example` }, PASSWORDS[0]!);
  },
});

/** Whoever registered last confirms their address, and signs in. */
export const confirming: Step = {
  toString: () => 'confirm the last address',
  run: (side) =>
    spendMail(side, { back: 0, path: 'verify', digits: false, password: PASSWORDS[0]! }),
};
export const entering: Step = {
  toString: () => 'sign in whoever registered last',
  run(side) {
    const body = { identifier: side.people.at(-1)!.username, password: PASSWORDS[0] };
    return ask(side, 'POST', '/auth/login', { body }, PASSWORDS[0]);
  },
};

/** Until limits are reached, if they are on. Answers the last. */
export const logInOften = stepsOf<Naming & { times: number; right: boolean }>(
  'sign in again and again as',
  { ...naming, times: fc.integer({ min: 9, max: 14 }), right: fc.boolean() },
  async (side, person, { times, right, ...how }) => {
    const body = { identifier: nameOf(person, how), password: right ? person.password : 'wrong' };
    for (let i = 1; i < times; i++) await ask(side, 'POST', '/auth/login', { body });
    return ask(side, 'POST', '/auth/login', { body });
  },
);

export const logIn = stepsOf<Naming & { other: string | null; device: object | undefined }>(
  'sign in',
  { ...naming, other: typed, device },
  (side, person, { other, device, ...how }) => {
    const password = secretOf(person, other);
    const body = { identifier: nameOf(person, how), password, device };
    return ask(side, 'POST', '/auth/login', { body }, password);
  },
);

export const basic = stepsOf<Naming & { other: string | null }>(
  'ask with Basic as',
  { ...naming, other: typed },
  (side, person, { other, ...how }) => {
    const pair = `${nameOf(person, how)}:${secretOf(person, other)}`;
    const authorization = `Basic ${Buffer.from(pair).toString('base64')}`;
    return side.ask('GET', '/me', { headers: { authorization } });
  },
);

export const refresh = stepsOf<{ back: number }>('refresh', { back }, (side, person, given) => {
  const refreshToken = fromEnd(person.refresh, given.back) ?? 'rt1.none';
  return ask(side, 'POST', '/auth/refresh', { body: { refreshToken } });
});

interface SignOut {
  by: 'refresh' | 'access' | 'both' | 'none';
  back: number;
  scope: string | undefined;
}
export const signOut = stepsOf<SignOut>(
  'sign out',
  {
    by: fc.constantFrom('refresh', 'access', 'both', 'none'),
    back,
    scope: fc.constantFrom(undefined, 'session', 'others', 'all'),
  },
  (side, person, { by, back, scope }) => {
    const refreshToken =
      by === 'access' || by === 'none' ? undefined : fromEnd(person.refresh, back);
    const token = by === 'refresh' || by === 'none' ? undefined : fromEnd(person.access, back);
    return side.ask('POST', '/auth/logout', { token, body: { refreshToken, scope } });
  },
);

export const askForMail = stepsOf<Naming & { path: string }>(
  'ask for a mail',
  { ...naming, path: fc.constantFrom('/auth/password/forgot', '/auth/email/verify/resend') },
  (side, person, { path, ...how }) =>
    side.ask('POST', path, { body: { email: nameOf(person, { ...how, byEmail: true }) } }),
);

interface Spending {
  back: number;
  path: string;
  digits: boolean;
  password: string;
}
async function spendMail(side: Side, { back, path, digits, password }: Spending) {
  const mail = fromEnd(side.mails, back);
  const token = mail?.secrets['token'] ?? 'none';
  const [to] = mail?.recipients ?? [];
  if (path === 'restore') return side.ask('POST', '/auth/email/restore', { body: { token } });
  const isDigits = path === 'verify' && digits && mail?.code;
  const key = isDigits ? { email: to, code: mail.code } : { token };
  const route = path === 'reset' ? '/auth/password/reset' : '/auth/email/verify';
  const answer = await side.ask('POST', route, { body: { ...key, password } });
  const person = side.people.find(({ email }) => email?.toLowerCase() === to?.toLowerCase());
  if (answer.status === 204 && person) person.password = password;
  return answer;
}

/** The token or the digits of a mail, so far back. A token is sent to any of the routes that take one. */
export const useMail = steps<Spending>(
  'use a mail',
  {
    back,
    path: fc.constantFrom('verify', 'verify', 'reset', 'reset', 'restore'),
    digits: fc.boolean(),
    password: chosen,
  },
  spendMail,
);
