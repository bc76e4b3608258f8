import { useState } from 'preact/hooks';
import type { Factor } from '#src/client/index';
import { OnlyUser } from '#screens/ui/acting';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Button, Dialog, Field, Form } from '#screens/ui/controls';
import { dateTime, t } from '#screens/ui/text';

const KINDS = { totp: 'account.app', passkey: 'account.passkey' } as const;
const kindOf = ({ kind }: Factor) => (kind in KINDS ? t(KINDS[kind as keyof typeof KINDS]) : kind);

const used = ({ createdAt, lastUsedAt }: Factor) =>
  [
    t('account.addedAt', { time: dateTime(createdAt) }),
    lastUsedAt ? t('account.usedAt', { time: dateTime(lastUsedAt) }) : t('account.neverUsed'),
  ].join(' · ');

interface Changing {
  onChange: () => Promise<void>;
}

export function FactorList({ factors, onChange }: Changing & { factors: readonly Factor[] }) {
  const [open, setOpen] = useState<{ factor: Factor; what: 'rename' | 'remove' }>();
  const close = () => setOpen(undefined);
  const done = (text: string) => {
    announce(text);
    close();
    void onChange();
  };
  return (
    <>
      <ul class="rows">
        {factors.map((factor) => (
          <li key={factor.id}>
            <div>
              <p class="strong">{factor.name}</p>
              <p class="note">
                {kindOf(factor)} · {used(factor)}
              </p>
            </div>
            <OnlyUser>
              <div class="actions">
                <Button
                  aria-label={t('account.renameOf', { name: factor.name })}
                  onClick={() => setOpen({ factor, what: 'rename' })}
                >
                  {t('account.rename')}
                </Button>
                <Button
                  kind="danger"
                  aria-label={t('account.removeOf', { name: factor.name })}
                  onClick={() => setOpen({ factor, what: 'remove' })}
                >
                  {t('account.remove')}
                </Button>
              </div>
            </OnlyUser>
          </li>
        ))}
      </ul>
      {open?.what === 'rename' && (
        <Rename factor={open.factor} onClose={close} done={() => done(t('account.saved'))} />
      )}
      {open?.what === 'remove' && (
        <Remove
          factor={open.factor}
          isLast={factors.length === 1}
          onClose={close}
          done={() => done(t('account.factorRemoved'))}
        />
      )}
    </>
  );
}

interface Open {
  factor: Factor;
  onClose: () => void;
  done: () => void;
}

const Rename = ({ factor: { id, name }, onClose, done }: Open) => (
  <Dialog title={t('account.rename')} onClose={onClose}>
    <Form
      submit={t('account.save')}
      done={done}
      send={({ name: wanted = '' }) =>
        client.request('PATCH', '/me/factors/{id}', { name: wanted }, { params: { id } })
      }
    >
      {(errors) => (
        <Field
          label={t('account.factorName')}
          name="name"
          defaultValue={name}
          maxLength={64}
          autocomplete="off"
          error={errors['name']}
          required
        />
      )}
    </Form>
  </Dialog>
);

const Remove = ({ factor: { id, name }, isLast, onClose, done }: Open & { isLast: boolean }) => (
  <Dialog title={t('account.removeOf', { name })} onClose={onClose}>
    <p>{t(isLast ? 'account.removeLastFactor' : 'account.removeFactor')}</p>
    <Form
      kind="danger"
      submit={t('account.remove')}
      done={done}
      send={() => client.request('DELETE', '/me/factors/{id}', null, { params: { id } })}
    />
  </Dialog>
);
