import { useState } from 'preact/hooks';
import { errorOf } from '#screens/console/operator/parts';
import { t } from '#screens/ui/text';

/** Those that the server tells webhooks of. A test compares them with it. */
const TYPES = [
  'user.registered',
  'user.imported',
  'user.updated',
  'user.deleted',
  'user.password_changed',
  'user.email_verified',
  'user.email_changed',
  'user.email_restored',
  'user.disabled',
  'user.enabled',
  'user.unlocked',
  'user.password_reset_sent',
  'user.taken_over',
  'identity.linked',
  'identity.unlinked',
  'api_key.made',
  'api_key.deleted',
  'factor.added',
  'factor.renamed',
  'factor.removed',
  'factors.reset',
  'recovery_codes.renewed',
  'recovery_code.used',
  'passkey.copied',
  'invitation.accepted',
  'role.created',
  'role.changed',
  'role.deleted',
  'role.granted',
  'role.revoked',
  'session.started',
  'session.new_device',
  'session.ended',
  'session.reauthenticated',
  'session.reused',
];
const ALL = '*';
/** `user.*`: all that begin so. */
const groupOf = (type: string) => type.replace(/\..*$/s, '.*');
const isGroup = (filter: string) => filter.endsWith('.*');

/** Each group before its types. */
const FILTERS = [...new Set(TYPES.flatMap((type) => [groupOf(type), type]))];

/** Those that are ticked in a form. */
export const typesIn = (fields: Record<string, string>): string[] =>
  Object.keys(fields).filter((name) => name === ALL || name.includes('.'));

/** Ticks for the events that a webhook is told of. What another tick covers cannot be chosen beside it. */
export function WebhookTypes({
  held,
  errors,
}: {
  held: readonly string[];
  errors: Record<string, string>;
}) {
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set(held));
  const isCovered = (filter: string) =>
    filter !== ALL && (chosen.has(ALL) || (!isGroup(filter) && chosen.has(groupOf(filter))));
  const choose = (filter: string, isTicked: boolean) =>
    setChosen(
      new Set([...chosen].filter((each) => each !== filter).concat(isTicked ? filter : [])),
    );
  const tick = (filter: string, label = <code>{filter}</code>) => (
    <label class={isGroup(filter) ? 'check group' : 'check'} key={filter}>
      <input
        type="checkbox"
        name={filter}
        checked={chosen.has(filter) || isCovered(filter)}
        disabled={isCovered(filter)}
        onChange={({ currentTarget }) => choose(filter, currentTarget.checked)}
      />
      {label}
    </label>
  );
  const error = errorOf(errors, 'types');
  return (
    <fieldset>
      <legend>{t('console.webhooks.types')}</legend>
      {tick(ALL, <span>{t('console.webhooks.allTypes')}</span>)}
      <div class="scroll ticks">{FILTERS.map((filter) => tick(filter))}</div>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
    </fieldset>
  );
}
