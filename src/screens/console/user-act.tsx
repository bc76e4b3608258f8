import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { calledAs } from '#screens/console/users';
import { actAs } from '#screens/ui/acting';
import { Action } from '#screens/ui/action';
import { Field } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { t } from '#screens/ui/text';

/** Opens the account page as the user sees it (impersonation). The server says for whom that is refused. */
export function ActAs({ user }: Pick<OfUser, 'user'>) {
  const { me, may } = useAccess();
  const { id, disabled } = user;
  const isPossible = id !== me.id && !disabled && data.screens.includes('account');
  if (!isPossible || !may('users:impersonate')) return null;
  const send = async ({ reason = '' }: Record<string, string>) => {
    const answer = await ask(
      'POST',
      '/admin/users/{id}/impersonate',
      { reason: reason.trim() },
      { params: { id } },
    );
    if (answer.ok) await actAs(answer.body);
    return answer;
  };
  return (
    <Action label={t('console.users.act')} send={send}>
      {(errors: Record<string, string>) => (
        <>
          <p>{t('console.users.actWhat', { name: calledAs(user) })}</p>
          <Field
            label={t('console.users.actReason')}
            hint={t('console.users.actReasonHint')}
            name="reason"
            maxLength={200}
            autocomplete="off"
            error={errors['reason']}
            required
          />
        </>
      )}
    </Action>
  );
}
