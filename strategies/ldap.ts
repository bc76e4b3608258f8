import { z } from 'zod';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { custom, defineStrategy } from '#src/strategy-kit/strategy';
import { domains, emailClaims } from '#strategies/_email';

const first = (value: unknown) => [value].flat().map(String).find(Boolean);
const text = z.string().min(1);

export default defineStrategy({
  name: 'ldap',
  kind: 'login',
  summary: 'Sign in with your directory (LDAP) password',
  env: z.object({
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
  }),
  credentials: z
    .strictObject({
      username: text.max(256),
      password: text.max(1024),
      device: DeviceInput.optional(),
    })
    .meta({ id: 'LdapCredentials' }),
  create({ env, resolveUser }) {
    const directory = {
      url: env.LDAP_URL,
      bindDn: env.LDAP_BIND_DN,
      bindPassword: env.LDAP_BIND_PASSWORD,
      base: env.LDAP_SEARCH_BASE,
      attribute: env.LDAP_ATTRIBUTE,
    };
    return custom(async (req) => {
      const { username, password } = req.body as { username: string; password: string };
      const { entryOf } = await import('#strategies/_directory'); // loads a large library
      const entry = await entryOf(directory, username, password);
      if (!entry) return null;
      const { dn, entryUUID, nsUniqueId, objectGUID, mail, uid, sAMAccountName, cn } = entry;
      // Names change, and may pass to another person. These ids are permanent (RFC 4530).
      const subject =
        first(entryUUID) ??
        first(nsUniqueId) ??
        (Buffer.isBuffer(objectGUID) ? objectGUID.toString('hex') : dn);
      return resolveUser({
        subject,
        username: first(uid) ?? first(sAMAccountName),
        name: first(cn),
        ...emailClaims(first(mail), env.LDAP_EMAIL_DOMAINS),
      });
    });
  },
});
