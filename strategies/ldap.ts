import { z } from 'zod';
import { custom, defineStrategy } from '#src/http/strategy';
import { DeviceInput } from '#src/sessions/device';
import { domains, vouchedFor } from '#strategies/_email';

const first = (value: unknown) => [value].flat().map(String).find(Boolean);
const text = z.string().min(1);

export default defineStrategy({
  name: 'ldap',
  kind: 'login',
  summary: 'Sign in with your directory (LDAP) password',
  env: z.object({
    LDAP_URL: z
      .url({ protocol: /^ldaps?$/ })
      .describe('ldaps://host, or ldap://host, which is encrypted by STARTTLS unless it is this machine.'),
    LDAP_BIND_DN: text.describe('Who may look people up.'),
    LDAP_BIND_PASSWORD: text.describe('Password of LDAP_BIND_DN.'),
    LDAP_SEARCH_BASE: text.describe('Where people are: ou=people,dc=example,dc=com.'),
    LDAP_ATTRIBUTE: text
      .regex(/^[\w-]+$/)
      .default('uid')
      .describe('What people sign in with: uid, mail, sAMAccountName.'),
    LDAP_EMAIL_DOMAINS: domains,
  }),
  credentials: z.strictObject({ username: text.max(256), password: text.max(1024), device: DeviceInput.optional() }),
  create({ env, userOf }) {
    const {
      LDAP_URL: url,
      LDAP_BIND_DN: bindDn,
      LDAP_BIND_PASSWORD: bindPassword,
      LDAP_SEARCH_BASE: base,
      LDAP_ATTRIBUTE: attribute,
    } = env;
    return custom(async (req) => {
      const { username, password } = req.body as { username: string; password: string };
      const { entryOf } = await import('#strategies/_directory'); // when it is first needed: it is not small
      const entry = await entryOf({ url, bindDn, bindPassword, base, attribute }, username, password);
      if (!entry) return null;
      const { dn, entryUUID, nsUniqueId, objectGUID, mail, uid, sAMAccountName, cn } = entry;
      // A name changes when its owner marries, and may go to somebody else when they leave: these ids stay (RFC 4530).
      const subject = first(entryUUID) ?? first(nsUniqueId) ?? (Buffer.isBuffer(objectGUID) ? objectGUID.toString('hex') : dn);
      const address = vouchedFor(first(mail), env.LDAP_EMAIL_DOMAINS);
      return userOf({ subject, username: first(uid) ?? first(sAMAccountName), name: first(cn), ...address });
    });
  },
});
