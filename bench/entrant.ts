import type { Api, Candidate, Session } from '#candidates';
import { bytesOf, load, type Answer } from '#client';
import { person } from '#people';
import { newFile, start, type DatabaseServer, type Running } from '#servers';
import type { Crowd, Work } from '#works';

/** What rounds are measured with. One candidate works at a time, so the counters of the database are its own. */
export interface Tools {
  cpu: (pid: number) => number;
  mysql: DatabaseServer | undefined;
}
/** A candidate whose program runs, and the people who are signed in there. */
export interface Entrant extends Crowd {
  candidate: Candidate;
  running: Running;
  file: string;
}
export interface Measured {
  /** Requests a second, microseconds of the server's processor a request; of the database's, and statements, on MariaDB. */
  speed: number;
  cpu: number;
  databaseCpu?: number;
  statements?: number;
}
/** A round, and what the reference did right before it: the machine was as fast then. */
export interface Round extends Measured {
  reference: Measured | undefined;
}

export async function enter(
  candidate: Candidate,
  file: string,
  people: number,
  { mysql }: Tools,
): Promise<Entrant> {
  const { name, database, api } = candidate;
  const url = database === 'sqlite' ? newFile() : await mysql?.create();
  const running = await start(
    name,
    file,
    { NODE_ENV: 'production', ...(database && { DATABASE_URL: url! }), ...candidate.env },
    '/readyz',
  );
  return { candidate, file, running, ...(await crowdAt(running.url, api, people)) };
}

/** So many people, each with a session. */
export async function crowdAt(url: string, api: Api, people: number): Promise<Crowd> {
  const sessions: Session[] = Array.from({ length: people }, () => ({ access: '', refresh: '' }));
  const steps = api.enter(person(0)).length;
  if (steps === 0) sessions.fill(api.session({ status: 200, head: '', body: '' }));
  for (let step = 0; step < steps; step++)
    await load({
      url,
      connections: 2,
      requests: people,
      ask: (_connection, i) => bytesOf(api.enter(person(i))[step]!),
      answered: (answer: Answer, _connection, i) => {
        if (step === steps - 1) sessions[i] = api.session(answer);
      },
    });
  let newcomers = people;
  return { api, sessions, newcomer: () => person(newcomers++) };
}

/** One round: so many questions, and what the server used of the processor meanwhile. */
export async function measure(
  entrant: Entrant,
  work: Work,
  requests: number,
  { cpu, mysql }: Tools,
): Promise<Measured> {
  const { candidate, running } = entrant;
  const pid = running.child.pid!;
  const database = candidate.database === 'mysql' ? mysql : undefined;
  const statements = await database?.statements();
  const databaseCpu = database && cpu(database.pid);
  const before = cpu(pid);
  const seconds = await load({
    url: running.url,
    connections: work.connections,
    requests,
    ...work.questions(entrant),
  }).catch((error: unknown) => {
    throw new Error(`${candidate.name}, ${work.title}`, { cause: error });
  });
  const used = cpu(pid) - before;
  return {
    speed: requests / seconds,
    cpu: used / requests,
    ...(database && {
      databaseCpu: (cpu(database.pid) - databaseCpu!) / requests,
      // Looking is a statement, too.
      statements: ((await database.statements()) - statements! - 1) / requests,
    }),
  };
}
