import { useState } from 'preact/hooks';
import type { PendingTotpFactor } from '#src/client/index';
import { client } from '#screens/ui/client';
import { Field, Form } from '#screens/ui/controls';
import { Dialog } from '#screens/ui/dialog';
import { Secret } from '#screens/ui/files';
import { t } from '#screens/ui/text';

interface Adding {
  done: (recoveryCodes: readonly string[] | null) => void;
}

/** Two steps: a name, then the QR code and the first code. */
export function NewApp({ done, onClose }: Adding & { onClose: () => void }) {
  const [pending, setPending] = useState<PendingTotpFactor>();
  return (
    <Dialog title={t('account.addApp')} onClose={onClose}>
      {pending ? (
        <Scan pending={pending} done={done} />
      ) : (
        <Form
          submit={t('ui.continue')}
          send={async ({ name = '' }) => {
            const given = name.trim() ? { name } : {};
            const answer = await client.request('POST', '/me/factors/totp', given);
            if (answer.ok) setPending(answer.body);
            return answer;
          }}
        >
          {(errors) => (
            <Field
              label={t('account.factorName')}
              hint={t('account.appNameHint')}
              name="name"
              maxLength={64}
              autocomplete="off"
              error={errors['name']}
            />
          )}
        </Form>
      )}
    </Dialog>
  );
}

function Scan({ pending: { id, qr, secret }, done }: Adding & { pending: PendingTotpFactor }) {
  const [isWrong, setWrong] = useState(false);
  const send = async ({ code = '' }) => {
    const answer = await client.request(
      'POST',
      '/me/factors/totp/{id}/confirm',
      { code },
      { params: { id } },
    );
    if (answer.ok) done(answer.body.recoveryCodes);
    const wrong =
      !answer.ok && ['invalid_credentials', 'invalid_request'].includes(answer.body.code);
    setWrong(wrong);
    return wrong ? undefined : answer;
  };
  return (
    <>
      <p>{t('account.scan')}</p>
      <img
        class="qr"
        alt={t('account.qr')}
        src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(qr)}`}
      />
      <Secret label={t('account.secret')} text={secret} />
      <Form submit={t('account.confirmApp')} send={send}>
        <Field
          label={t('account.firstCode')}
          name="code"
          inputMode="numeric"
          autocomplete="one-time-code"
          error={isWrong ? t('ui.wrongProof') : undefined}
          required
        />
      </Form>
    </>
  );
}
