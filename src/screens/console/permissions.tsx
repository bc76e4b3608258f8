import { useState } from 'preact/hooks';
import { Button, Field } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

/** Those that the server itself asks for. A test compares them with its routes. */
const KNOWN = [
  'users:read',
  'users:write',
  'users:impersonate',
  'sessions:end',
  'factors:reset',
  'roles:read',
  'roles:write',
  'roles:assign',
  'audit:read',
  'webhooks:read',
  'webhooks:write',
  'services:read',
  'services:write',
  'mails:read',
  'mails:retry',
  'mails:drop',
  'keys:rotate',
  'server:read',
];
/** The form of the server: `resource:action`, `resource:*` or `*`. */
const FORM = String.raw`\*|[a-z][a-z0-9_\-]*:(\*|[a-z][a-z0-9_\-]*)`;

/** Ticks for permissions that are known, and a field for others. Ticked ones are in the form as `permission`. */
export function Permissions({
  held,
  error,
}: {
  held: readonly string[];
  error?: string | undefined;
}) {
  const [others, setOthers] = useState(held.filter((each) => !KNOWN.includes(each)));
  const [typed, setTyped] = useState('');
  const isRight = new RegExp(`^(?:${FORM})$`).test(typed);
  const add = () => {
    if (!isRight) return;
    setOthers((now) => [...new Set([...now, ...(KNOWN.includes(typed) ? [] : [typed])])]);
    setTyped('');
  };
  return (
    <fieldset>
      <legend>{t('console.roles.permissions')}</legend>
      <div class="ticks">
        {[...others, ...KNOWN].map((each) => (
          <label class="check" key={each}>
            <input
              type="checkbox"
              name="permission"
              value={each}
              defaultChecked={others.includes(each) || held.includes(each)}
            />
            <code>{each}</code>
          </label>
        ))}
      </div>
      {error && <p class="error">{error}</p>}
      <div class="beside">
        <Field
          label={t('console.roles.other')}
          hint={t('console.roles.otherHint')}
          value={typed}
          maxLength={64}
          autocomplete="off"
          spellcheck={false}
          error={typed === '' || isRight ? undefined : t('console.roles.otherForm')}
          onInput={({ currentTarget }) => setTyped(currentTarget.value.trim())}
          onKeyDown={(event) => {
            if (event.key !== 'Enter') return;
            event.preventDefault(); // it adds, and does not send the form
            add();
          }}
        />
        <Button onClick={add}>{t('console.roles.add')}</Button>
      </div>
    </fieldset>
  );
}
