import { isSwitchedOn, readSettings } from '#src/authentication/strategy-settings';
import type { Check } from '#src/doctor/check';
import { redisRole } from '#src/platform/limits/redis-check';
import { NotSent, verifyMailServer } from '#src/platform/mail/transport';
import { serverOf } from '#src/platform/settings/mail';
import { isLoopback } from '#src/platform/settings/types';

export const mail: Check = {
  name: 'mail',
  run: async ({ settings: { smtpUrl, emailVerification } }) => {
    if (!smtpUrl)
      return emailVerification === 'off'
        ? { fine: 'no SMTP_URL: mails become files' }
        : { warnings: ['There is no SMTP_URL: the mails that confirm addresses become files'] };
    const { host, port, tls, user } = serverOf(smtpUrl);
    try {
      await verifyMailServer(smtpUrl);
    } catch (error) {
      if (!(error instanceof NotSent)) throw error;
      return { wrong: [`${host}:${port} ${mailFault(error.why)} (${error.why})`] };
    }
    const encrypted = tls === 'none' ? 'not encrypted' : 'encrypted';
    return { fine: `${host}:${port} answers, ${encrypted}${user ? ', signed in' : ''}` };
  },
};

/** `why`: see `NotSent`. */
function mailFault(why: string): string {
  if (/EAUTH/.test(why))
    return 'refuses user or password: are they right in SMTP_URL, and percent-encoded?';
  if (/CERT|SIGNED|TLS|SSL|ALTNAME/.test(why))
    return 'cannot be spoken to encrypted: is its certificate trusted (?tls=/path/ca.pem), and does the port fit (smtps: 465, smtp: 587)?';
  if (/EDNS|ENOTFOUND|EAI_/.test(why)) return 'has a name that is not found: is SMTP_URL right?';
  return 'does not answer as a mail server: is it running, is SMTP_URL right, and is the port open to this machine?';
}

export const redis: Check = {
  name: 'redis',
  run: async ({ settings: { redisUrl } }) => {
    if (!redisUrl) return { fine: 'no REDIS_URL: the database counts' };
    const { host } = new URL(redisUrl);
    const role = await redisRole(redisUrl).catch((error: NodeJS.ErrnoException) => ({ error }));
    if (typeof role === 'object')
      return {
        wrong: [
          `Redis at ${host} does not answer or refuses us (${reason(role.error)}): is it running, and is REDIS_URL right? Until then the database counts`,
        ],
      };
    return role === 'slave'
      ? { wrong: [`Redis at ${host} is a replica and cannot count: name the primary in REDIS_URL`] }
      : { fine: `${host} answers` };
  },
};

/** A code, or the first word of what Redis answered (`WRONGPASS`, `NOAUTH`): what follows may hold names. */
const reason = ({ code, message, name }: NodeJS.ErrnoException): string =>
  code ?? /^[A-Z]{4,}\b/.exec(message)?.[0] ?? name;

export const proxy: Check = {
  name: 'proxy',
  run: async ({ settings: { publicUrl, trustProxy, host } }) => {
    const { protocol, hostname } = new URL(publicUrl);
    const isLocal = isLoopback(hostname);
    return {
      fine: isLocal ? 'PUBLIC_URL is this machine' : `PUBLIC_URL is ${publicUrl}`,
      wrong:
        protocol === 'https:' && trustProxy === 0
          ? [
              'PUBLIC_URL is https, so a proxy is in front, but TRUST_PROXY is 0: all requests seem to come from the proxy, and share its limits. Set TRUST_PROXY to the number of proxies',
            ]
          : [],
      warnings: [
        ...(protocol === 'http:' && !isLocal
          ? ['PUBLIC_URL is http: passwords and tokens travel unencrypted. Put TLS in front']
          : []),
        ...(isLocal && !isLoopback(host)
          ? [
              'HOST can be reached by others, but PUBLIC_URL is this machine: links in mails lead nowhere. Set PUBLIC_URL',
            ]
          : []),
      ],
    };
  },
};

export const providers: Check = {
  name: 'providers',
  run: async ({ settings: { strategyValues }, strategies }) => {
    const checked = strategies.filter((each) => each.check && isSwitchedOn(each, strategyValues));
    const wrong = await Promise.all(
      checked.map(async (strategy) => {
        const { data = {} } = readSettings(strategy, strategyValues);
        const faults = await strategy.check!(data).catch(() => ['It could not be checked']);
        return faults.map((fault) => `${strategy.name}: ${fault}`);
      }),
    );
    const names = checked.map(({ name }) => name).join(', ');
    return { fine: names || 'none to ask', wrong: wrong.flat() };
  },
};
