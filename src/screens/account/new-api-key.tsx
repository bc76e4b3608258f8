import { useId } from 'preact/hooks';
import type { CreatedApiKey } from '#src/client/index';
import { client } from '#screens/ui/client';
import { Field, Form } from '#screens/ui/controls';
import { Dialog } from '#screens/ui/dialog';
import { useLoad } from '#screens/ui/hooks';
import { t } from '#screens/ui/text';

const DAY = 86_400;
const LIFETIMES = [
  [30, 'account.days30'],
  [90, 'account.days90'],
  [365, 'account.days365'],
] as const;

interface Making {
  onMade: (key: CreatedApiKey) => void;
  onClose: () => void;
}

export function NewApiKey({ onMade, onClose }: Making) {
  const { body: me } = useLoad(() => client.request('GET', '/me'));
  const roles = me?.roles ?? [];
  const send = async ({ name = '', days }: Record<string, string>, form: HTMLFormElement) => {
    const scopes = new FormData(form).getAll('scopes').map(String);
    const answer = await client.request('POST', '/me/api-keys', {
      name,
      ...(scopes.length > 0 && { scopes }),
      ...(days && { expiresIn: Number(days) * DAY }),
    });
    if (answer.ok) onMade(answer.body);
    return answer;
  };
  return (
    <Dialog title={t('account.newKey')} onClose={onClose}>
      <Form submit={t('account.makeKey')} send={send}>
        {(errors) => (
          <>
            <Field
              label={t('account.keyName')}
              hint={t('account.keyNameHint')}
              name="name"
              maxLength={64}
              autocomplete="off"
              error={errors['name']}
              required
            />
            <Lifetime />
            {roles.length > 1 && <Scopes roles={roles} />}
          </>
        )}
      </Form>
    </Dialog>
  );
}

function Lifetime() {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{t('account.lifetime')}</label>
      <select id={id} name="days">
        {LIFETIMES.map(([days, label]) => (
          <option value={days} selected={days === 90} key={days}>
            {t(label)}
          </option>
        ))}
        <option value="">{t('account.neverExpires')}</option>
      </select>
    </div>
  );
}

const Scopes = ({ roles }: { roles: readonly string[] }) => (
  <fieldset>
    <legend>{t('account.keyRoles')}</legend>
    {roles.map((role) => (
      <label class="check" key={role}>
        <input type="checkbox" name="scopes" value={role} defaultChecked={role === 'user'} />
        {role}
      </label>
    ))}
  </fieldset>
);
