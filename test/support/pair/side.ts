import { onTestFinished } from 'vitest';
import type { Answer, Question } from '#test/support/client';
import { startApp, testSecret } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { senderTo } from '#test/support/fuzz/send';
import { openMailbox, type Received } from '#test/support/mailbox';
import { plainTexts } from '#test/support/pair/plain';

/** Somebody who registered, with all they were ever given. */
export interface Person {
  /** Unknown until they sign in, if they had to confirm their address first. */
  id: string;
  username: string | undefined;
  email: string | undefined;
  password: string;
  access: string[];
  refresh: string[];
  sessions: string[];
  keys: { id: string; key: string }[];
}

/** One of two servers that are asked the same, with what its people hold. */
export type Side = Awaited<ReturnType<typeof startSide>>;

/** Both servers call themselves by this name. They listen on different ports. */
const PUBLIC_URL = 'http://localhost:3000';

/** A server on this database, with as many features as one has. */
export async function startSide(databaseUrl: string, env: Record<string, string>) {
  const mailbox = await openMailbox();
  const app = await startApp({
    ...mailbox.env,
    API_KEYS: 'on',
    BASIC_AUTH: 'on',
    PUBLIC_URL,
    // The clock moves on by years here. A shared key does not age.
    JWT_ALG: 'HS256',
    JWT_SECRET: testSecret(),
    ...env,
    DATABASE_URL: databaseUrl,
  });
  const { send, close } = senderTo(app.url);
  onTestFinished(close);
  const state = {
    people: [] as Person[],
    mails: [] as Received[],
    /** Of the names in this history. */
    prefix: '',
    /** `nextCursor` of the last list. */
    cursor: undefined as string | undefined,
    seen: 0,
  };
  return Object.assign(state, {
    ...app,
    send,
    ...plainTexts(),
    /** Begins a history: nobody is known, and names have this prefix. */
    begin(prefix: string): void {
      Object.assign(state, { people: [], mails: [], prefix, cursor: undefined });
    },
    /** The mails since the last call. Waits until all of them were sent. */
    async newMails(): Promise<Received[]> {
      await eventually(async () => {
        if ((await app.OutgoingMail.count()) > 0) throw new Error('a mail was not sent');
      });
      const news = mailbox.all().slice(state.seen);
      state.seen += news.length;
      const sorted = news.sort((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
      state.mails.push(...sorted);
      return sorted;
    },
  });
}

/** Mails that are sent at once arrive in any order. */
const orderOf = ({ recipients, subject }: Received) => `${recipients.join()} ${subject}`;

/** Asks, and keeps the tokens of the answer. `password`: what opened or made the account. */
export async function ask(
  side: Side,
  method: string,
  path: string,
  question: Question = {},
  password?: string,
): Promise<Answer> {
  const answer = await side.ask(method, path, question);
  keep(side, answer, password);
  return answer;
}

/** Whoever an answer gives tokens to has them from now on. */
export function keep(side: Side, { body }: Answer, password?: string): void {
  if (body?.nextCursor) side.cursor = body.nextCursor as string;
  if (typeof body?.refreshToken !== 'string' || !body.user) return;
  const { id, username, email } = body.user;
  const names = { username: username ?? undefined, email: email ?? undefined };
  const isOf = (each: Person) =>
    each.id === id ||
    (each.id === '' && each.email !== undefined && each.email.toLowerCase() === email);
  let person = side.people.find(isOf);
  if (!person) side.people.push((person = newPerson(names)));
  Object.assign(person, { id, ...names });
  person.access.push(body.accessToken);
  person.refresh.push(body.refreshToken);
  person.sessions.push(body.session.id);
  if (password !== undefined) person.password = password;
}

export const newPerson = (names: Pick<Person, 'username' | 'email'>): Person => ({
  id: '',
  ...names,
  password: '',
  access: [],
  refresh: [],
  sessions: [],
  keys: [],
});
