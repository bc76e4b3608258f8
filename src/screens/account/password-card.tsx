import { useState } from 'preact/hooks';
import type { OwnUser, Result } from '#src/client/index';
import { announce } from '#screens/ui/announce';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Card, Field, Form } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

/** What is wrong about the password is said at its field. */
export function wrongPasswordAtField<T>(answer: Result<T>): Result<T> {
  if (answer.ok || answer.body.code !== 'invalid_credentials') return answer;
  const { body } = answer;
  const message = t('account.wrongPassword');
  const error = { pointer: '/currentPassword', code: body.code, message };
  return { ...answer, body: { ...body, errors: [error] } };
}

export function PasswordCard({ me }: { me: OwnUser }) {
  const send = async (fields: Record<string, string>, form: HTMLFormElement) => {
    const { currentPassword = '', newPassword = '' } = fields;
    const answer = await client.request('PUT', '/me/password', { currentPassword, newPassword });
    if (answer.ok) form.reset();
    return wrongPasswordAtField(answer);
  };
  return (
    <Card title={t('ui.password')} note={t('account.passwordNote')}>
      <Form
        send={send}
        done={() => announce(t('account.passwordChanged'))}
        submit={t('account.changePassword')}
      >
        {(errors) => (
          <>
            <input
              class="hidden"
              type="text"
              autocomplete="username"
              value={me.username ?? me.email ?? ''}
              aria-hidden="true"
              tabIndex={-1}
              readOnly
            />
            <Field
              label={t('account.currentPassword')}
              name="currentPassword"
              type="password"
              autocomplete="current-password"
              error={errors['currentPassword']}
              required
            />
            <Field
              label={t('account.newPassword')}
              name="newPassword"
              type="password"
              autocomplete="new-password"
              error={errors['newPassword']}
              required
            />
          </>
        )}
      </Form>
      {me.email && <Mailed email={me.email} />}
    </Card>
  );
}

/** For who has no password, or has forgotten it. */
function Mailed({ email }: { email: string }) {
  const [isSent, setSent] = useState(false);
  return (
    <details>
      <summary>{t('account.noPassword')}</summary>
      <p class="note">{t('account.noPasswordHelp')}</p>
      {isSent ? (
        <p role="status">{t('account.passwordMailSent', { email })}</p>
      ) : (
        <Action
          label={t('account.sendMail')}
          send={() => client.request('POST', '/auth/password/forgot', { email })}
          done={() => setSent(true)}
        />
      )}
    </details>
  );
}
