import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { config } from '#src/config';
import { clientIp } from '#src/core/client-ip';
import { emit } from '#src/core/events';
import { forgetAccount, forgiveAccount, hit } from '#src/core/limits';
import { log } from '#src/core/log';
import { networkOf } from '#src/core/network';
import { Problem } from '#src/core/problem';
import type { Account, AuthStrategy } from '#src/http/strategy';

/** An attempt to sign in that was counted as a failure before it was made. Ask one of the others when it turns out differently. */
export interface Attempt {
  /** Whatever the strategy says: nobody comes in. */
  locked: boolean;
  failed(error: unknown): Promise<void>;
  succeeded(): Promise<void>;
}
const uncounted: Attempt = { locked: false, failed: async () => {}, succeeded: async () => {} };

const USUAL = ['identifier', 'username', 'email', 'login'];
const asTyped = async (name: string): Promise<Account> => ({ id: `name ${name.trim().normalize('NFKC').toLowerCase()}`, networks: [] });

/**
 * Counts an attempt against the account that it names, in one of two counters: where the user has signed in before, the one of that
 * network; else the one that all strangers share. So strangers keep out each other, not those who belong here. A locked account
 * looks like a wrong password, and takes as long: its strategy is asked about somebody who does not exist, and so cannot be used to guess.
 */
export async function countAttempt(req: Request, { account, credentials }: AuthStrategy): Promise<Attempt> {
  const body = req.body as Record<string, unknown> | undefined;
  const field = account?.field ?? USUAL.find((name) => typeof body?.[name] === 'string');
  const name = field && body?.[field];
  if (!credentials || !field || typeof name !== 'string') return uncounted;
  const attempt = await countFailure(req, name, account?.find);
  if (attempt.locked) req.body = { ...body, [field]: nobody() };
  return attempt;
}

/** The name of somebody who does not exist. */
const nobody = (): string => `x${randomBytes(12).toString('hex')}`;

async function countFailure(req: Request, name: string, find = asTyped): Promise<Attempt> {
  if (config.LIMITS === 'off') return uncounted;
  const { id, networks } = await find(name);
  const network = networkOf(req);
  const subject = networks.includes(network) ? `${id} at ${network}` : id;
  const locked = (await hit('account', () => subject)) !== undefined;
  if (locked) emit('limit.reached', { limit: 'account', ip: clientIp(req) });
  return {
    locked,
    failed: async (error) => {
      if (!locked && error instanceof Problem && error.status === 503) await quietly(forgiveAccount(subject));
    },
    succeeded: () => quietly(forgetAccount(subject)),
  };
}

/** The same for a strategy whose credentials are in no body: `verify` is asked about the name, or about nobody. */
export async function counted<T>(
  req: Request,
  name: string,
  find: typeof asTyped,
  verify: (name: string) => Promise<T | null>,
): Promise<T | null> {
  const attempt = await countFailure(req, name, find);
  const found = await verify(attempt.locked ? nobody() : name).catch(async (error: unknown) => {
    await attempt.failed(error);
    throw error;
  });
  if (!found || attempt.locked) return null;
  await attempt.succeeded();
  return found;
}

/** The password was right or was not looked at, whatever becomes of the counter. */
async function quietly(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.warn({ err: error }, 'a counter of failures could not be changed');
  }
}
