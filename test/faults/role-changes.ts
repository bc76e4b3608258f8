import type { Ask } from '#test/faults/account';
import type { Ledger } from '#test/faults/ledger';

const username = 'editor';
const password = 'correct horse battery';

/** Changes of roles on the command line, which is a process of its own beside the servers. */
export function roleChanges(
  ledger: Ledger,
  ask: Ask,
  cli: (...args: string[]) => Promise<{ code: number | null; stderr: string }>,
) {
  let token: string | undefined;
  let verb = 'grant';

  const until = async (...args: string[]) => {
    for (let tries = 0; ; tries++) {
      const { code, stderr } = await cli(...args);
      if (code === 0) return void ledger.acknowledged++;
      if (tries > 20) return void ledger.wrong.push(`${args.join(' ')}: ${stderr}`);
    }
  };
  async function prepare(): Promise<void> {
    await until('role', 'create', 'editor');
    const body = { username, password };
    const isRight = ({ status }: { status: number }) => status === 201;
    const answer = await ledger.untilSure(
      'sign-up',
      () => ask('POST', '/auth/register', { body }),
      isRight,
    );
    token = answer.body.accessToken;
  }

  return {
    prepare,
    /** Grants or revokes a role. Resolves when the command has said that it is done, and a request shows it. */
    async change(): Promise<void> {
      await until('role', verb, username, 'editor');
      const { body } = await ledger.untilSure(
        'GET /me',
        () => ask('GET', '/me', { token: token! }),
        ({ status }) => status === 200,
      );
      if (body.roles.includes('editor') !== (verb === 'grant'))
        ledger.lost.push(`role ${verb}: GET /me answers ${body.roles.join()}`);
      verb = verb === 'grant' ? 'revoke' : 'grant';
    },
  };
}
