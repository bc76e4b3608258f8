import type { Factor } from '#src/client/index';
import { Action } from '#screens/ui/action';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Field } from '#screens/ui/controls';
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

export const FactorList = ({ factors, onChange }: Changing & { factors: readonly Factor[] }) => (
  <ul class="rows">
    {factors.map((factor) => (
      <li key={factor.id}>
        <div>
          <p class="strong">{factor.name}</p>
          <p class="note">
            {kindOf(factor)} · {used(factor)}
          </p>
        </div>
        <div class="actions">
          <Rename factor={factor} onChange={onChange} />
          <Remove factor={factor} onChange={onChange} isLast={factors.length === 1} />
        </div>
      </li>
    ))}
  </ul>
);

interface One extends Changing {
  factor: Factor;
}

const Rename = ({ factor: { id, name }, onChange }: One) => (
  <Action
    label={t('account.rename')}
    about={t('account.renameOf', { name })}
    submit={t('account.save')}
    send={({ name: wanted = '' }) =>
      client.request('PATCH', '/me/factors/{id}', { name: wanted }, { params: { id } })
    }
    done={() => {
      announce(t('account.saved'));
      void onChange();
    }}
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
  </Action>
);

const Remove = ({ factor: { id, name }, onChange, isLast }: One & { isLast: boolean }) => (
  <Action
    kind="danger"
    label={t('account.remove')}
    about={t('account.removeOf', { name })}
    send={() => client.request('DELETE', '/me/factors/{id}', null, { params: { id } })}
    done={() => {
      announce(t('account.factorRemoved'));
      void onChange();
    }}
  >
    <p>{t(isLast ? 'account.removeLastFactor' : 'account.removeFactor')}</p>
  </Action>
);
