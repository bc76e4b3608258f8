import { useState } from 'preact/hooks';
import type { OwnUser } from '#src/client/index';
import { wrongPasswordAtField } from '#screens/account/password-card';
import { OnlyUser } from '#screens/ui/acting';
import { Action } from '#screens/ui/action';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Card, Field, Form } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { t } from '#screens/ui/text';

interface Own {
  me: OwnUser;
  onChange: () => Promise<void>;
}

export function EmailAddress({ me, onChange }: Own) {
  const { body: own, reload } = useLoad(() => client.request('GET', '/me/email'));
  const [asked, setAsked] = useState<string>();
  const { email, emailVerified } = me;
  const waiting = own?.pendingEmail ?? asked;
  const change = (to: string) => {
    setAsked(to);
    void reload();
  };
  return (
    <Card title={t('account.email')}>
      {email ? (
        <p class="badges">
          <span class="strong">{email}</span>
          <span class="badge">
            {t(emailVerified ? 'account.confirmed' : 'account.unconfirmed')}
          </span>
        </p>
      ) : (
        <p class="note">{t('account.noEmail')}</p>
      )}
      <OnlyUser>
        {email && !emailVerified && <Unconfirmed email={email} onChange={onChange} />}
        {waiting && (
          <p class="inset" role="status">
            {t('account.emailWaits', { email: waiting })}
          </p>
        )}
        <Change onAsked={change} />
      </OnlyUser>
    </Card>
  );
}

/** The mail has a link and a code, which do the same. */
function Unconfirmed({ email, onChange }: { email: string; onChange: () => Promise<void> }) {
  const [isSent, setSent] = useState(false);
  const done = () => {
    announce(t('account.emailConfirmed'));
    void onChange();
  };
  if (!isSent)
    return (
      <p class="actions">
        <Action
          label={t('account.sendAgain')}
          send={() => client.request('POST', '/auth/email/verify/resend', { email })}
          done={() => setSent(true)}
        />
      </p>
    );
  return (
    <div class="inset">
      <p role="status">{t('account.mailSent', { email })}</p>
      <Form
        submit={t('account.confirmEmail')}
        done={done}
        send={({ code = '' }) =>
          client.request('POST', '/auth/email/verify', { email, code: code.trim() })
        }
      >
        {(errors) => (
          <Field
            label={t('account.mailCode')}
            name="code"
            inputMode="numeric"
            autocomplete="one-time-code"
            error={errors['code']}
            required
          />
        )}
      </Form>
    </div>
  );
}

const Change = ({ onAsked }: { onAsked: (email: string) => void }) => (
  <details>
    <summary>{t('account.changeEmail')}</summary>
    <Form
      submit={t('account.sendMail')}
      send={async ({ email = '', currentPassword }, form) => {
        const wanted = { email, ...(currentPassword && { currentPassword }) };
        const answer = await client.request('POST', '/me/email', wanted);
        if (answer.ok) {
          onAsked(email);
          form.reset();
        }
        return wrongPasswordAtField(answer);
      }}
    >
      {(errors) => (
        <>
          <Field
            label={t('account.newEmail')}
            hint={t('account.newEmailHint')}
            name="email"
            type="email"
            autocomplete="email"
            error={errors['email']}
            required
          />
          <Field
            label={t('ui.password')}
            hint={t('account.passwordIfAny')}
            name="currentPassword"
            type="password"
            autocomplete="current-password"
            error={errors['currentPassword']}
          />
        </>
      )}
    </Form>
  </details>
);
