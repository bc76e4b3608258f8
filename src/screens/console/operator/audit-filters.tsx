import { useLocation } from 'preact-iso';
import {
  addressOf,
  localTime,
  NAMES,
  readQuery,
  timeOf,
  type AuditQuery,
} from '#screens/console/operator/audit-query';
import { Button, Field } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

const LABELS = {
  actor: 'console.audit.actorId',
  subject: 'console.audit.subjectId',
  type: 'console.audit.type',
  after: 'console.audit.after',
  before: 'console.audit.before',
} as const;
const isTime = (name: string) => name === 'after' || name === 'before';

/** The list follows when the form is sent: half of an id finds nothing. */
export function AuditFilters({ asked }: { asked: AuditQuery }) {
  const { route } = useLocation();
  return (
    <form
      class="audit-filters"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const fields = Object.fromEntries(new FormData(event.currentTarget)) as Record<
          string,
          string
        >;
        const { after = '', before = '' } = fields;
        route(addressOf(readQuery({ ...fields, after: timeOf(after), before: timeOf(before) })));
      }}
    >
      {NAMES.map((name) => (
        <Field
          key={name}
          label={t(LABELS[name])}
          name={name}
          type={isTime(name) ? 'datetime-local' : 'text'}
          placeholder={name === 'type' ? 'session.started' : undefined}
          defaultValue={isTime(name) ? localTime(asked[name]) : (asked[name] ?? '')}
          autocomplete="off"
          spellcheck={false}
        />
      ))}
      <div class="actions">
        <Button type="submit" kind="primary">
          {t('console.audit.filter')}
        </Button>
        {Object.keys(asked).length > 0 && (
          <a class="button plain" href={addressOf({})}>
            {t('console.audit.all')}
          </a>
        )}
      </div>
    </form>
  );
}
