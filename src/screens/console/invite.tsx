import { useState } from 'preact/hooks';
import { ask, useAccess } from '#screens/console/access';
import { Card, Field, Form } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { t } from '#screens/ui/text';

/** Invites somebody by mail. Nobody chooses a password for somebody else. */
export function Invite({ done }: { done: () => void }) {
  const { may } = useAccess();
  const [sent, setSent] = useState<string>();
  const [turn, setTurn] = useState(0);

  async function send(fields: Record<string, string>, form: HTMLFormElement) {
    setSent(undefined);
    const roles = new FormData(form).getAll('role') as string[];
    const name = fields['name']!.trim();
    const email = fields['email']!.trim();
    const answer = await ask('POST', '/admin/users', {
      email,
      ...(name && { name }),
      ...(roles.length > 0 && { roles }),
    });
    if (answer.ok) setSent(answer.body.email);
    return answer;
  }

  return (
    <Card title={t('console.invitations.invite')} note={t('console.invitations.inviteNote')}>
      <Form
        key={turn}
        submit={t('console.invitations.send')}
        send={send}
        done={() => {
          setTurn((now) => now + 1);
          done();
        }}
      >
        {(errors: Record<string, string>) => (
          <>
            <Field
              label={t('console.users.email')}
              name="email"
              type="email"
              autocomplete="off"
              error={errors['email']}
              required
            />
            <Field
              label={t('console.users.name')}
              name="name"
              maxLength={100}
              hint={t('console.invitations.nameHint')}
              autocomplete="off"
              error={errors['name']}
            />
            {may('roles:assign') && may('roles:read') && <RolesToGive error={errors['roles']} />}
          </>
        )}
      </Form>
      {sent && (
        <p class="note after" role="status">
          {t('console.invitations.sentTo', { email: sent })}
        </p>
      )}
    </Card>
  );
}

function RolesToGive({ error }: { error: string | undefined }) {
  const { body } = useLoad(() => ask('GET', '/admin/roles', null, { query: { limit: 100 } }));
  const roles = (body?.data ?? []).filter(({ name }) => name !== 'user'); // everybody gets it
  if (roles.length === 0) return null;
  return (
    <fieldset>
      <legend>{t('console.invitations.roles')}</legend>
      {roles.map(({ name, description }) => (
        <label class="check" key={name}>
          <input type="checkbox" name="role" value={name} />
          <span>
            {name} <span class="note">{description}</span>
          </span>
        </label>
      ))}
      {error && <p class="error">{error}</p>}
    </fieldset>
  );
}
