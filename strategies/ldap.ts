import { z } from 'zod';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';
import { domains, emailClaims } from '#strategies/_email';

const first = (value: unknown) => [value].flat().map(String).find(Boolean);
const text = z.string().min(1);

const env = z.object({
  LDAP_URL: z
    .url({ protocol: /^ldaps?$/ })
    .describe(
      'ldaps://host, or ldap://host, which is encrypted by STARTTLS unless it is this machine.',
    ),
  LDAP_BIND_DN: text.describe('DN of the account that may search for users.'),
  LDAP_BIND_PASSWORD: text.describe('Password of LDAP_BIND_DN.'),
  LDAP_SEARCH_BASE: text.describe('Where the users are: ou=people,dc=example,dc=com.'),
  LDAP_ATTRIBUTE: text
    .regex(/^[\w-]+$/)
    .default('uid')
    .describe('The attribute that users sign in with: uid, mail, sAMAccountName.'),
  LDAP_EMAIL_DOMAINS: domains,
});

const directoryOf = (own: z.output<typeof env>) => ({
  url: own.LDAP_URL,
  bindDn: own.LDAP_BIND_DN,
  bindPassword: own.LDAP_BIND_PASSWORD,
  base: own.LDAP_SEARCH_BASE,
  attribute: own.LDAP_ATTRIBUTE,
});

export default defineStrategy({
  name: 'ldap',
  kind: 'login',
  summary: 'Sign in with your directory (LDAP) password',
  amr: ['pwd'],
  env,
  credentials: z
    .strictObject({
      username: text.max(256),
      password: text.max(1024),
      device: DeviceInput.optional(),
    })
    .meta({ id: 'LdapCredentials' }),
  account: {
    field: 'username',
    // The directory decides which spellings are one name, so the entry is counted. A name without one is counted folded.
    async find(name, { env, auth }) {
      const { entryNamed, subjectOf } = await import('#strategies/_directory');
      const entry = await entryNamed(directoryOf(env), name);
      return auth.users.identitySubject('ldap', entry && subjectOf(entry), name);
    },
  },
  check: async (own) => (await import('#strategies/_directory')).checkDirectory(directoryOf(own)),
  load: () => import('#strategies/_directory'),
  create({ env, resolveUser }) {
    const directory = directoryOf(env);
    return custom(async (req) => {
      const { username, password } = req.body as { username: string; password: string };
      const { entryOf, subjectOf } = await import('#strategies/_directory');
      const entry = await entryOf(directory, username, password);
      if (!entry) return null;
      const { mail, uid, sAMAccountName, cn } = entry;
      return resolveUser({
        subject: subjectOf(entry),
        username: first(uid) ?? first(sAMAccountName),
        name: first(cn),
        ...emailClaims(first(mail), env.LDAP_EMAIL_DOMAINS),
      });
    });
  },
});
