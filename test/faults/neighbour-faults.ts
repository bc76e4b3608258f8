import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOTH, type Fault } from '#test/faults/fault';
import { until } from '#test/faults/load';
import type { Environment } from '#test/faults/environment';
import { chaosProxy } from '#test/support/chaos-proxy';
import { openMailbox } from '#test/support/mailbox';
import { freePort } from '#test/support/mysql';
import { root } from '#test/support/process';
import { redisIsHere, redisOn } from '#test/support/redis';

/** The limits count, and stop nobody: one address asks far more than they allow. */
const COUNTED = Object.fromEntries(
  'REQUESTS_PER_NETWORK REQUESTS_PER_SESSION SIGN_INS_PER_NETWORK SIGN_UPS_PER_NETWORK REFRESHES_PER_SESSION PASSWORD_GUESSES_PER_SESSION'
    .split(' ')
    .map((name) => [`LIMIT_${name}`, '1000000/1m']),
);
const MAILS = 10;

/** What stands beside the server, and a connection to it that can break. */
export async function neighbours() {
  const redis = redisIsHere ? redisOn(await freePort()) : undefined;
  await redis?.start();
  const mailbox = await openMailbox();
  const mail = await chaosProxy(mailbox.port);
  let made = 0;

  /** Sign-ups are acknowledged while their mails cannot be sent. Later each mail arrives. */
  async function signUps({ ask, ledger, node }: Environment): Promise<void> {
    const to = Array.from({ length: MAILS }, () => `somebody${++made}@example.com`);
    for (const email of to)
      await ledger.untilSure(
        'sign-up by e-mail',
        () => ask('POST', '/auth/register', { body: { email, password: 'correct horse battery' } }),
        ({ status }, again) => status === 201 || (again && status === 409),
      );
    await sleep(500);
    if (mailbox.all().some(({ recipients }) => to.includes(recipients[0]!)))
      ledger.wrong.push('a mail got through a broken connection');
    mail.set('pass');
    node.moveClock('600000'); // the pauses between attempts are over
    await until('every mail arrives', () => to.every((each) => mailbox.all(each).length > 0)).catch(
      (error: Error) => ledger.lost.push(error.message),
    );
    node.moveClock('0');
    for (const each of to)
      if (mailbox.all(each).length > 2) ledger.wrong.push(`${each} got a mail three times`);
  }

  const byMail = {
    engines: BOTH,
    rounds: [1, 5] as const,
    env: {
      EMAIL_VERIFICATION: 'optional',
      ...mailbox.env,
      SMTP_URL: `smtp://127.0.0.1:${mail.port}`,
    },
    node: ['--import', join(root, 'test/faults/clock.ts')],
  };
  const withRedis = {
    engines: BOTH,
    rounds: [1, 10] as const,
    missing: () => (redis ? undefined : 'no redis-server'),
    env: { LIMITS: 'on', REDIS_URL: redis?.url ?? '', ...COUNTED },
  };
  const faults: Fault[] = [
    {
      ...withRedis,
      id: 'X-21',
      name: 'Redis killed',
      async round(_stage, load) {
        await redis!.kill();
        await load.acknowledge(40);
        await redis!.start();
      },
    },
    {
      ...withRedis,
      id: 'X-21',
      name: 'Redis frozen',
      async round(_stage, load) {
        redis!.freeze();
        await load.acknowledge(40);
        redis!.thaw();
      },
    },
    {
      ...byMail,
      id: 'X-23',
      name: 'mail server refuses',
      async round(environment) {
        mail.set('refuse');
        await signUps(environment);
      },
    },
    {
      ...byMail,
      id: 'X-23',
      name: 'mail server never answers',
      async round(environment) {
        mail.set('hold');
        await signUps(environment);
      },
    },
  ];
  return {
    faults,
    async close() {
      await redis?.kill();
      mail.close();
      await mailbox.close();
    },
  };
}
