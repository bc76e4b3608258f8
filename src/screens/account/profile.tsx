import { useRef } from 'preact/hooks';
import type { OwnUser, Result } from '#src/client/index';
import { EmailAddress } from '#screens/account/email-address';
import { useMe } from '#screens/account/enrolment';
import { announce } from '#screens/ui/announce';
import { client } from '#screens/ui/client';
import { Alert, Card, Field, Form } from '#screens/ui/controls';
import { Language, localeOf } from '#screens/account/language';
import { inLanguage, Title } from '#screens/ui/screen';
import { problemText, t } from '#screens/ui/text';
import { showNames } from '#screens/ui/who';

export function Profile() {
  const { body: me, problem, reload } = useMe();
  return (
    <>
      <Title>{t('account.profile')}</Title>
      <Alert problem={problem} />
      {me && (
        <>
          <Names me={me} onChange={reload} />
          <EmailAddress me={me} onChange={reload} />
          <Card title={t('account.roles')} note={t('account.rolesNote')}>
            <p class="badges">
              {me.roles.map((role) => (
                <span class="badge" key={role}>
                  {role}
                </span>
              ))}
            </p>
          </Card>
        </>
      )}
    </>
  );
}

interface Own {
  me: OwnUser;
  onChange: () => Promise<void>;
}

function Names({ me, onChange }: Own) {
  const chosen = useRef(me.locale);
  const send = async ({ name = '', username = '', locale = '' }: Record<string, string>) => {
    const isRenamed = username !== (me.username ?? '');
    const answer = await client.request('PATCH', '/me', {
      name: name.trim() || null,
      ...(isRenamed && { username }),
      locale: localeOf(locale),
    });
    if (answer.ok) {
      chosen.current = answer.body.locale;
      showNames(answer.body);
    }
    return takenAtField(answer);
  };
  const done = () => {
    if (chosen.current !== me.locale) return inLanguage(chosen.current);
    announce(t('account.saved'));
    void onChange();
  };
  return (
    <Card title={t('account.names')}>
      <Form send={send} done={done} submit={t('account.save')}>
        {(errors) => (
          <>
            <Field
              label={t('account.name')}
              hint={t('account.nameHint')}
              name="name"
              defaultValue={me.name ?? ''}
              autocomplete="name"
              maxLength={100}
              error={errors['name']}
            />
            <Field
              label={t('account.username')}
              hint={t('account.usernameHint')}
              name="username"
              defaultValue={me.username ?? ''}
              autocomplete="username"
              required={me.username !== null}
              error={errors['username']}
            />
            <Language chosen={me.locale} />
          </>
        )}
      </Form>
    </Card>
  );
}

/** A name that somebody else has is a mistake in its field. */
function takenAtField(answer: Result<OwnUser>): Result<OwnUser> {
  if (answer.ok || answer.body.code !== 'username_taken') return answer;
  const { body } = answer;
  const error = { pointer: '/username', code: body.code, message: problemText(body) };
  return { ...answer, body: { ...body, errors: [error] } };
}
