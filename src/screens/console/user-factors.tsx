import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { Action } from '#screens/ui/action';
import { Card } from '#screens/ui/controls';
import { ago, dateTime, number, t } from '#screens/ui/text';

const KINDS: Record<string, string> = {
  totp: t('console.users.totp'),
  passkey: t('console.users.passkey'),
};

/** How the user signs in, and what helps them when they cannot. */
export function UserFactors({ user, changed }: OfUser) {
  const { may } = useAccess();
  const { factors, recoveryCodesLeft, identities } = user;
  const facts: [title: string, text: string][] = [
    [t('console.users.password'), t(user.hasPassword ? 'console.yes' : 'console.no')],
    [t('console.users.recoveryCodes'), number(recoveryCodesLeft)],
    [t('console.users.apiKeys'), number(user.apiKeys)],
  ];
  const canReset = may('factors:reset') && factors.length + recoveryCodesLeft > 0;
  const canMail = may('users:write') && user.email !== null && !user.disabled;
  return (
    <Card title={t('console.users.signIn')}>
      <dl>
        {facts.map(([title, text]) => (
          <>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
      <h3>{t('console.users.factors')}</h3>
      {factors.length === 0 && <p class="note">{t('console.users.noFactors')}</p>}
      <ul class="rows">
        {factors.map((factor) => (
          <li key={factor.id}>
            <span>
              {factor.name} <span class="note">{KINDS[factor.kind] ?? factor.kind}</span>
            </span>
            <span class="note">
              {factor.lastUsedAt
                ? t('console.users.usedAgo', { when: ago(factor.lastUsedAt) })
                : t('console.users.neverUsed')}
            </span>
          </li>
        ))}
      </ul>
      <h3>{t('console.users.identities')}</h3>
      {identities.length === 0 && <p class="note">{t('console.users.noIdentities')}</p>}
      <ul class="rows">
        {identities.map(({ id, provider, email, createdAt }) => (
          <li key={id}>
            <span>
              {provider} <span class="note">{email}</span>
            </span>
            <span class="note">{t('console.users.since', { when: dateTime(createdAt) })}</span>
          </li>
        ))}
      </ul>
      <div class="actions after">
        {canMail && <MailReset user={user} changed={changed} />}
        {canReset && (
          <Action
            label={t('console.users.resetFactors')}
            kind="danger"
            done={changed}
            send={() =>
              ask('DELETE', '/admin/users/{id}/factors', null, { params: { id: user.id } })
            }
          >
            <p>{t('console.users.resetFactorsWhat')}</p>
          </Action>
        )}
      </div>
    </Card>
  );
}

const MailReset = ({ user, changed }: Pick<OfUser, 'user' | 'changed'>) => (
  <Action
    label={t('console.users.mailReset')}
    said={t('console.users.mailResetDone')}
    done={changed}
    send={({ endSessions }) =>
      ask(
        'POST',
        '/admin/users/{id}/password-reset',
        { endSessions: endSessions === 'on' },
        { params: { id: user.id } },
      )
    }
  >
    <p>{t('console.users.mailResetWhat', { email: user.email! })}</p>
    <label class="check">
      <input type="checkbox" name="endSessions" />
      {t('console.users.mailResetEnd')}
    </label>
  </Action>
);
