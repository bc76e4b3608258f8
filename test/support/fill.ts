type Engine = 'sqlite' | 'mysql';

/** Rows that one statement makes at most. */
const BLOCK = 100_000;
const DIGITS =
  '(SELECT 0 AS d UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4 UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9)';
const DAY_MS = 86_400_000;

/** The id of the user, or of the session, of this number. */
export const userId = (i: number | string): string => numbered('8', i);
export const sessionId = (i: number | string): string => numbered('9', i);
const numbered = (kind: string, i: number | string) =>
  typeof i === 'number'
    ? `00000000-0000-7000-${kind}000-${String(i).padStart(12, '0')}`
    : `concat('00000000-0000-7000-${kind}000-', substr(concat('', 1000000000000 + ${i}), 2))`;

/**
 * SQL that makes so many users, each with a session, a role and a row in every other table that grows. Every third
 * session has ended. `isWanted` leaves tables out.
 */
export function* fillStatements(
  engine: Engine,
  count: number,
  isWanted: (table: string) => boolean = () => true,
): Generator<string> {
  const time = (ms: number) => {
    const text = new Date(Date.now() + ms).toISOString().replace('T', ' ').replace('Z', '');
    return engine === 'sqlite' ? `'${text} +00:00'` : `'${text}'`;
  };
  const [now, later] = [time(0), time(30 * DAY_MS)];
  const user = userId('i');
  const padded = (length: number) =>
    `substr(concat('1${'0'.repeat(length - 9)}', 1000000000 + i), 3)`;
  const rows: Record<string, string> = {
    'users (id, username, username_canonical, email, email_canonical, created_at, updated_at)': `${user}, concat('somebody', i), concat('somebody', i), concat('somebody', i, '@example.org'), concat('somebody', i, '@example.org'), ${now}, ${now}`,
    'user_roles (user_id, role_id, created_at)': `${user}, (SELECT id FROM roles WHERE name = 'user'), ${now}`,
    'sessions (id, user_id, strategy, generation, acknowledged, expires_at, ended_at, last_seen_at, created_at, updated_at)': `${sessionId('i')}, ${user}, 'local', 0, 1, ${later}, CASE WHEN i % 3 = 2 THEN ${now} END, ${now}, ${now}, ${now}`,
    'identities (id, user_id, provider, subject, created_at)': `${user}, ${user}, 'github', i, ${now}`,
    'api_keys (id, user_id, name, digest, ending, scopes, created_at)': `${user}, ${user}, 'key', ${padded(64)}, '0000', 'user', ${now}`,
    'one_time_tokens (digest, purpose, user_id, tries, expires_at, created_at)': `${padded(64)}, 'test', CASE WHEN i % 2 = 0 THEN ${user} END, 0, ${later}, ${now}`,
    'outgoing_mails (id, template, sealed_mail, tries, due_at, expires_at, created_at)': `${user}, 'test', '', 0, ${later}, ${later}, ${now}`,
    'limits (id, hits, opens_at, resets_at)': `${padded(32)}, 1, 0, ${Date.now() + DAY_MS}`,
    'sign_ups (id, username, username_canonical, email, email_canonical, password_hash, expires_at, created_at)': `${user}, concat('waiting', i), concat('waiting', i), concat('waiting', i, '@example.org'), concat('waiting', i, '@example.org'), 'x', ${later}, ${now}`,
    'user_numbers (user_id)': user,
    'factors (id, user_id, kind, name, created_at)': `${user}, ${user}, 'totp', 'app', ${now}`,
    'passkeys (factor_id, digest, credential_id, public_key, counter, transports, device_type, backed_up, aaguid)': `${user}, ${padded(64)}, ${user}, 'x', 0, '', 'multiDevice', 1, ${user}`,
    'invitations (id, email, email_canonical, roles, digest, invited_by, expires_at, created_at)': `${user}, concat('guest', i, '@example.org'), concat('guest', i, '@example.org'), 'user', ${padded(64)}, ${user}, ${later}, ${now}`,
    'audit_entries (id, type, version, actor, actor_kind, subject, details, created_at, key_id, mac, seq, hash)': `${user}, 'session.started', 1, ${user}, 'user', ${user}, '{}', ${now}, '', '', i + 1, ''`,
    'webhook_deliveries (id, webhook_id, event_id, type, subject, seq, body, state, next_attempt_at, expires_at, settled_at, created_at)': `${user}, '${userId(0)}', ${user}, 'user.updated', concat('somebody', i % 1000), i, '{}', CASE WHEN i % 3 = 0 THEN 'pending' ELSE 'delivered' END, CASE WHEN i % 3 = 0 THEN ${now} END, CASE WHEN i % 3 = 0 THEN ${later} END, CASE WHEN i % 3 > 0 THEN ${now} END, ${now}`,
    'recovery_codes (id, user_id, digest, created_at)': `${user}, ${user}, ${padded(64)}, ${now}`,
  };
  const webhook = userId(0);
  // It is off: nothing is to be sent.
  if (isWanted('webhook_deliveries'))
    yield `INSERT INTO webhooks (id, url, description, types, sealed_secret, disabled_at, created_at, updated_at) VALUES ('${webhook}', 'https://192.0.2.1/', '', '*', '', ${now}, ${now}, ${now})`;
  const wanted = Object.entries(rows).filter(([table]) => isWanted(table.split(' ')[0]!));
  for (let from = 0; from < count; from += BLOCK)
    for (const [table, values] of wanted)
      yield `INSERT INTO ${table} SELECT ${values} FROM (${numbers(from, Math.min(count, from + BLOCK))}) AS n`;
  if (engine === 'mysql')
    for (const [table] of wanted) yield `ANALYZE TABLE ${table.split(' ')[0]!}`;
}

const numbers = (
  from: number,
  to: number,
) => `SELECT ${from} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d AS i
  FROM ${['a', 'b', 'c', 'e', 'f'].map((name) => `${DIGITS} AS ${name}`).join(' CROSS JOIN ')}
  WHERE ${from} + a.d + 10 * b.d + 100 * c.d + 1000 * e.d + 10000 * f.d < ${to}`;
