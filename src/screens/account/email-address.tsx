import { useState } from 'preact/hooks';
import type { OwnUser } from '#src/client/index';
import { OnlyUser } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Card, Field, Form } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

interface Own {
  me: OwnUser;
  onChange: () => Promise<void>;
}

export function EmailAddress({ me, onChange }: Own) {
  /** An address that a mail has gone to. */
  const [asked, setAsked] = useState<string>();
  const { email } = me;
  const done = () => {
    setAsked(undefined);
    announce(t('account.emailConfirmed'));
    void onChange();
  };
  return (
    <Card title={t('account.email')}>
      {email ? (
        <p class="badges">
          <span class="strong">{email}</span>
          <span class="badge">
            {t(me.emailVerified ? 'account.confirmed' : 'account.unconfirmed')}
          </span>
        </p>
      ) : (
        <p class="note">{t('account.noEmail')}</p>
      )}
      {email && !me.emailVerified && asked !== email && (
        <p class="actions">
          <Action
            act={() => client.request('POST', '/auth/email/verify/resend', { email })}
            done={() => setAsked(email)}
          >
            {t('account.sendAgain')}
          </Action>
        </p>
      )}
      {asked && <Confirm email={asked} done={done} />}
      <OnlyUser>
        <Change onAsked={setAsked} />
      </OnlyUser>
    </Card>
  );
}

/** The code of the mail. Its link does the same. */
const Confirm = ({ email, done }: { email: string; done: () => void }) => (
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

const Change = ({ onAsked }: { onAsked: (email: string) => void }) => (
  <details>
    <summary>{t('account.changeEmail')}</summary>
    <Form
      submit={t('account.sendMail')}
      send={async ({ email = '' }, form) => {
        const answer = await client.request('POST', '/me/email', { email });
        if (answer.ok) {
          onAsked(email);
          form.reset();
        }
        return answer;
      }}
    >
      {(errors) => (
        <Field
          label={t('account.newEmail')}
          hint={t('account.newEmailHint')}
          name="email"
          type="email"
          autocomplete="email"
          error={errors['email']}
          required
        />
      )}
    </Form>
  </details>
);
