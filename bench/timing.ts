import { Secret, TOTP } from 'otpauth';
import { cli, onMariaDb, onSqlite, post, runBench, verdict, type Running } from '#servers';
import { compare, median, type Comparison } from '#statistics';

/** Questions that nobody may tell apart by the time their answers take, read as in README.md. */
const WARM_UP = 20;
const SAMPLES = 200;
const ROUNDS = 3;
const COST = 8;
/** How far apart the answers may be: a share of one hash where there is one, else so many milliseconds. */
const [OF_A_HASH, ELSE] = [0.1, 1];

const password = 'correct horse battery staple';
const chosen = 'what a stranger has chosen';
let people = 0;
const somebody = () => `person${++people}@example.com`;

type Body = Readonly<Record<string, string>>;
interface Pair {
  what: string;
  path: string;
  /** Makes the body of a request: about a user of this server, and about nobody. This is not timed. */
  known: () => Body | Promise<Body>;
  unknown: () => Body | Promise<Body>;
  hashes?: boolean;
}

/** Adds an authenticator app to a user. */
async function addApp({ url }: Running, email: string): Promise<void> {
  const ask = async (path: string, body: Body, token = '') => {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const answer = await post(url + path, body, headers);
    if (!answer.ok) throw new Error(`${path} was answered with ${answer.status}`);
    return (await answer.json()) as Record<string, string>;
  };
  const { accessToken } = await ask('/auth/login', { email, password });
  const { id, secret } = await ask('/me/factors/totp', {}, accessToken);
  const code = new TOTP({ secret: Secret.fromBase32(secret!) }).generate();
  await ask(`/me/factors/totp/${id}/confirm`, { code }, accessToken);
}

async function pairsOn(server: Running): Promise<Pair[]> {
  const [member, disabled, waiting, stranger] = [somebody(), somebody(), somebody(), somebody()];
  const careful = somebody();
  await cli(server, ['user', 'create', 'member', '--email', member], password);
  await cli(server, ['user', 'create', 'careful', '--email', careful, '--verified'], password);
  await cli(server, ['user', 'create', 'disabled', '--email', disabled], password);
  await addApp(server, careful);
  await cli(server, ['user', 'disable', 'disabled']);
  for (const email of [waiting, member, stranger])
    await post(`${server.url}/auth/register`, { email, password: chosen });
  const login = (what: string, known: string, secret: string, unknown = somebody): Pair => ({
    what,
    path: '/auth/login',
    known: () => ({ email: known, password: secret }),
    unknown: () => ({ email: unknown(), password: secret }),
    hashes: true,
  });
  const about = (what: string, path: string, known: string, more: Body = {}): Pair => ({
    what,
    path,
    known: () => ({ email: known, ...more }),
    unknown: () => ({ email: somebody(), ...more }),
  });
  /** The digits of a mail, guessed. */
  const guessAt = async (email: string) => {
    const asked = await post(`${server.url}/auth/email-code/request`, { email });
    const { requestToken } = (await asked.json()) as { requestToken: string };
    return { requestToken, code: '000000' };
  };
  const guess = (what: string, known: string): Pair => ({
    what,
    path: '/auth/email-code',
    known: () => guessAt(known),
    unknown: () => guessAt(somebody()),
  });
  return [
    login('a wrong password', member, 'not the password'),
    login('a wrong password, with a second factor', careful, 'not the password'),
    login('a disabled user', disabled, password),
    login('a sign-up that waits', waiting, 'not the password'),
    login('what one signed up with', member, chosen, () => stranger),
    { ...about('signing up', '/auth/register', member, { password }), hashes: true },
    about('a forgotten password', '/auth/password/forgot', member),
    about('the mail once more', '/auth/email/verify/resend', waiting),
    about('a guess at a code', '/auth/email/verify', waiting, { code: '000000' }),
    about('a code to sign in with', '/auth/email-code/request', member),
    about('such a code, with a second factor', '/auth/email-code/request', careful),
    about('such a code for a disabled user', '/auth/email-code/request', disabled),
    about('such a code for a sign-up that waits', '/auth/email-code/request', waiting),
    guess('a guess at such a code', member),
    guess('a guess at such a code, with a second factor', careful),
    guess('a guess at such a code of a disabled user', disabled),
  ];
}

async function timed(url: string, body: object): Promise<number> {
  const begin = performance.now();
  const answer = await post(url, body);
  await answer.arrayBuffer();
  if (answer.status >= 500 || answer.status === 429)
    throw new Error(`${url} was answered with ${answer.status}`);
  return performance.now() - begin;
}

/** One after the other, on a connection that stays; which of the two comes first is left to chance. */
async function round(
  url: string,
  { known, unknown }: Pair,
): Promise<Comparison & { usual: number }> {
  const times = { known: [] as number[], unknown: [] as number[] };
  for (let i = -WARM_UP; i < SAMPLES; i++) {
    const order = [['known', known] as const, ['unknown', unknown] as const];
    for (const [who, ask] of Math.random() < 0.5 ? order : order.toReversed()) {
      const ms = await timed(url, await ask());
      if (i >= 0) times[who].push(ms);
    }
  }
  return { ...compare(times.known, times.unknown), usual: median(times.unknown) };
}

/** Whether two of three rounds find no difference that counts. The row is the round in the middle. */
async function measure(
  server: Running,
  pair: Pair,
  hash: number,
): Promise<[name: string, row: object]> {
  const most = pair.hashes ? hash * OF_A_HASH : ELSE;
  const rounds = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(server.url + pair.path, pair));
  const met = rounds.filter(({ low, high }) => low > -most && high < most).length > ROUNDS / 2;
  const { usual, difference, low, high, p } = rounds.toSorted(
    (a, b) => a.difference - b.difference,
  )[ROUNDS >> 1]!;
  const ms = (n: number) => Number(n.toFixed(2));
  return [
    `${server.name}, ${pair.what}`,
    {
      ms: ms(usual),
      'known later by': ms(difference),
      '95 % from': ms(low),
      to: ms(high),
      p: ms(p),
      most: ms(most),
      '': verdict(met),
    },
  ];
}

/** What a question takes here whose answer needs one bcrypt, in milliseconds. */
async function timeOfAHash({ url }: Running): Promise<number> {
  const times = [];
  for (let i = 0; i < WARM_UP; i++)
    times.push(await timed(`${url}/auth/register`, { email: somebody(), password }));
  return median(times);
}

await runBench(async () => {
  const env = {
    EMAIL_VERIFICATION: 'required',
    EMAIL_CODE: 'on',
    BCRYPT_COST: String(COST),
  };
  const rows = [];
  for (const begin of [onSqlite, onMariaDb]) {
    const server = await begin(env);
    if (!server) continue;
    const hash = await timeOfAHash(server);
    for (const pair of await pairsOn(server)) rows.push(await measure(server, pair, hash));
  }
  console.table(Object.fromEntries(rows));
});
