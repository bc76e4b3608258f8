import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { UserEdits } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import type { OfUser } from '#screens/console/user';
import { Card, Field, Form } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { pathTo } from '#screens/ui/screen';
import { dateTime, t } from '#screens/ui/text';
import { showNames } from '#screens/ui/who';

const FIELDS = ['name', 'username', 'email'] as const;

/** Nobody changes their own address here. */
const OwnEmail = ({ email }: { email: string | null }) => (
  <>
    {email ?? '–'}
    <br />
    {data.screens.includes('account') ? (
      <a href={pathTo('account')}>{t('console.users.emailOwn')}</a>
    ) : (
      <span class="note">{t('console.users.emailOwn')}</span>
    )}
  </>
);

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

  const canWrite = may('users:write');
  const fixed: [title: string, text: ComponentChildren][] = [
    [t('console.users.id'), user.id],
    [t('console.users.createdAt'), dateTime(user.createdAt)],
  ];
  if (canWrite && isMe) fixed.push([t('console.users.email'), <OwnEmail email={user.email} />]);
  const readOnly = FIELDS.map((name): [string, string] => [
    t(`console.users.${name}`),
    user[name] ?? '–',
  ]);
  return (
    <Card title={t('console.users.profile')}>
      <dl>
        {[...(canWrite ? [] : readOnly), ...fixed].map(([title, text]) => (
          <>
            <dt>{title}</dt>
            <dd>{text}</dd>
          </>
        ))}
      </dl>
      {canWrite && (
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
              {!isMe && (
                <Field
                  label={t('console.users.email')}
                  name="email"
                  type="email"
                  defaultValue={user.email ?? ''}
                  hint={t('console.users.emailHint')}
                  autocomplete="off"
                  error={errors['email']}
                />
              )}
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
