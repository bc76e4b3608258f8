import { useState } from 'preact/hooks';
import type { UserEdits } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { Card, Field, Form } from '#screens/ui/controls';
import { dateTime, t } from '#screens/ui/text';
import { showNames } from '#screens/ui/who';

const FIELDS = ['name', 'username', 'email'] as const;

export function UserProfile({ user, etag, changed }: OfUser) {
  const { me, may } = useAccess();
  const [isSaved, setSaved] = useState(false);
  const isMe = user.id === me.id;

  async function save(fields: Record<string, string>) {
    setSaved(false);
    const edits: object = Object.fromEntries(
      FIELDS.filter((name) => name in fields && fields[name]!.trim() !== (user[name] ?? '')).map(
        (name) => [name, fields[name]!.trim() || null],
      ),
    );
    if (Object.keys(edits).length === 0) return undefined;
    const answer = await ask('PATCH', '/admin/users/{id}', edits as UserEdits, {
      params: { id: user.id },
      headers: { 'If-Match': etag },
    });
    // Somebody else was faster. What they changed is shown, and nothing of it is undone.
    if (answer.ok || answer.body.code === 'precondition_failed') changed();
    if (answer.ok && isMe) showNames(answer.body);
    setSaved(answer.ok);
    return answer;
  }

  const fixed: [title: string, text: string][] = [
    [t('console.users.id'), user.id],
    [t('console.users.createdAt'), dateTime(user.createdAt)],
  ];
  const readOnly = FIELDS.map((name): [string, string] => [
    t(`console.users.${name}`),
    user[name] ?? '–',
  ]);
  return (
    <Card title={t('console.users.profile')}>
      <dl>
        {[...(may('users:write') ? [] : readOnly), ...fixed].map(([title, text]) => (
          <>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
      {may('users:write') && (
        <Form key={etag} submit={t('console.save')} send={save}>
          {(errors: Record<string, string>) => (
            <>
              <Field
                label={t('console.users.name')}
                name="name"
                defaultValue={user.name ?? ''}
                maxLength={100}
                autocomplete="off"
                error={errors['name']}
              />
              <Field
                label={t('console.users.username')}
                name="username"
                defaultValue={user.username ?? ''}
                maxLength={64}
                autocomplete="off"
                error={errors['username']}
              />
              <Field
                label={t('console.users.email')}
                name="email"
                type="email"
                defaultValue={user.email ?? ''}
                hint={t(isMe ? 'console.users.emailOwn' : 'console.users.emailHint')}
                disabled={isMe}
                autocomplete="off"
                error={errors['email']}
              />
            </>
          )}
        </Form>
      )}
      {isSaved && (
        <p class="note after" role="status">
          {t('console.saved')}
        </p>
      )}
    </Card>
  );
}
