import { BOTH, type Fault } from '#test/faults/fault';
import type { Environment } from '#test/faults/environment';
import { statusesOf, type Question } from '#test/support/client';

const password = 'correct horse battery';
let made = 0;

/** Every POST, PUT and PATCH arrives twice at once, and once more when it was answered. */
async function twice(environment: Environment): Promise<void> {
  const { ask, ledger } = environment;
  const expectOf = async (
    what: string,
    expected: readonly string[],
    path: string,
    question: Question,
    method = 'POST',
  ) => {
    const send = () => ask(method, path, question);
    const both = await Promise.all([send(), send()]);
    const answers = [...both, await send()];
    if (answers.some(({ status }) => status === 503)) throw new Busy();
    const statuses = `${statusesOf(both).join()} ${answers[2]!.status}`;
    if (expected.includes(statuses)) ledger.acknowledged++;
    else ledger.wrong.push(`${what} thrice: ${statuses}`);
    return answers;
  };
  const username = `twice-${++made}`;
  const credentials = { username, password };
  const ups = await expectOf('sign-up', ['201,409 409'], '/auth/register', { body: credentials });
  const { accessToken: token, refreshToken } = ups.find(({ status }) => status === 201)!.body;
  const refreshed = await expectOf('refresh', ['200,200 200'], '/auth/refresh', {
    body: { refreshToken },
  });
  if (new Set(refreshed.map(({ body }) => body.refreshToken)).size !== 1)
    ledger.wrong.push('a refresh token has more than one successor');
  await expectOf('change of name', ['200,200 200'], '/me', { token, body: { name: 'A' } }, 'PATCH');
  const body = { currentPassword: password, newPassword: `${password} 2` };
  await expectOf('change of password', ['200,401 401'], '/me/password', { token, body }, 'PUT');
  const again = { identifier: username, password: body.newPassword };
  const { status, body: signedIn } = await ask('POST', '/auth/login', { body: again });
  if (status === 503) throw new Busy();
  await expectOf('sign-out', ['204,204 204'], '/auth/logout', {
    body: { refreshToken: signedIn.refreshToken },
  });
  const found = await environment.rows(`SELECT id FROM users WHERE username = '${username}'`);
  if (found.length !== 1) ledger.lost.push(`${found.length} users are called ${username}`);
}

/** A machine with other work may refuse one of them. Then nothing is known, and the next user tries. */
class Busy extends Error {}

async function untilJudged(environment: Environment): Promise<void> {
  try {
    await twice(environment);
  } catch (error) {
    if (!(error instanceof Busy)) throw error;
    await untilJudged(environment);
  }
}

export const deliveryFaults: readonly Fault[] = [
  {
    id: 'X-18',
    name: 'every request arrives twice, and later again',
    engines: BOTH,
    round: untilJudged,
  },
];
