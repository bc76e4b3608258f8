import type { Api, Session } from '#candidates';
import { bytesOf, type Answer } from '#client';
import { person, type Person } from '#people';

/** Who is asked: connection n is person n, with the newest session of this person. */
export interface Crowd {
  api: Api;
  sessions: Session[];
  /** Somebody who is not there yet. */
  newcomer: () => Person;
}
export interface Questions {
  ask: (connection: number, i: number) => Buffer;
  answered?: (answer: Answer, connection: number, i: number) => void;
}
export interface Work {
  name: string;
  title: string;
  connections: number;
  /** Questions a round, and the fewer that are asked of those who take many times as long. */
  requests: number;
  slow: number;
  /** What the candidate lacks for it, or undefined. */
  lacks(api: Api): string | undefined;
  /** What `connections` ask. Each has its session. */
  questions(crowd: Crowd): Questions;
}

const PEOPLE = 50;
/** So many hashes at a time keep two processors busy, and wait in no long queue. */
const HASHING = 4;
const guarded = (path: string, { sessions }: Crowd): Questions => {
  const asks = sessions.map(({ access }) => bytesOf({ method: 'GET', path, token: access }));
  return { ask: (connection) => asks[connection]! };
};
const refreshing = ({ api, sessions }: Crowd): Required<Questions> => ({
  ask: (connection) => bytesOf(api.refresh!(sessions[connection]!)),
  answered: (answer, connection) => (sessions[connection] = api.session(answer)),
});
const loggingIn = (
  { api, sessions }: Crowd,
  who: (connection: number, i: number) => number,
): Required<Questions> => ({
  ask: (connection, i) => bytesOf(api.login!(person(who(connection, i)))),
  answered: (answer, connection, i) => (sessions[who(connection, i)] = api.session(answer)),
});
/** Of 100 questions the first is a login, four are refreshes. */
const kindOf = (i: number) => (i % 100 === 0 ? 'login' : i % 25 === 10 ? 'refresh' : 'guarded');

export const works: readonly Work[] = [
  {
    name: 'me',
    title: 'guarded GET /me',
    connections: PEOPLE,
    requests: 12_000,
    slow: 2_000,
    lacks: () => undefined,
    questions: (crowd) => guarded('/me', crowd),
  },
  {
    name: 'role',
    title: 'a route for a role',
    connections: PEOPLE,
    requests: 12_000,
    slow: 2_000,
    lacks: ({ roles }) => (roles ? undefined : 'no roles'),
    questions: (crowd) => guarded('/editors', crowd),
  },
  {
    name: 'refresh',
    title: 'refresh',
    connections: PEOPLE,
    requests: 500,
    slow: 500,
    lacks: ({ refresh }) => (refresh ? undefined : 'no refresh'),
    questions: refreshing,
  },
  {
    name: 'login',
    title: 'login',
    connections: HASHING,
    requests: 150,
    slow: 150,
    lacks: ({ login }) => (login ? undefined : 'no login'),
    questions: (crowd) => loggingIn(crowd, (_connection, i) => i % crowd.sessions.length),
  },
  {
    name: 'register',
    title: 'register',
    connections: HASHING,
    requests: 150,
    slow: 150,
    lacks: ({ register }) => (register ? undefined : 'no sign-up'),
    questions: ({ api, newcomer }) => ({ ask: () => bytesOf(api.register!(newcomer())) }),
  },
  {
    name: 'mix',
    title: '95 % guarded, 4 % refresh, 1 % login',
    connections: PEOPLE,
    requests: 1_000,
    slow: 1_000,
    lacks: ({ login, refresh }) => (!login ? 'no login' : refresh ? undefined : 'no refresh'),
    questions: (crowd) => {
      const kinds = {
        login: loggingIn(crowd, (connection) => connection),
        refresh: refreshing(crowd),
        guarded: {
          ask: (connection: number) =>
            bytesOf({ method: 'GET', path: '/me', token: crowd.sessions[connection]!.access }),
          answered: () => {},
        },
      };
      return {
        ask: (connection, i) => kinds[kindOf(i)].ask(connection, i),
        answered: (answer, connection, i) => kinds[kindOf(i)].answered(answer, connection, i),
      };
    },
  },
];
