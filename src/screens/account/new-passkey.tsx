import { useState } from 'preact/hooks';
import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { t, type Message } from '#screens/ui/text';
import { makePasskey } from '#screens/ui/webauthn';

export function NewPasskey({ done }: { done: (recoveryCodes: readonly string[] | null) => void }) {
  const [failed, setFailed] = useState<Message>();
  const add = async () => {
    setFailed(undefined);
    const options = await client.request('POST', '/me/factors/passkeys/options');
    if (!options.ok) return options;
    const credential = await makePasskey(options.body);
    if (typeof credential === 'string') {
      setFailed(credential === 'known' ? 'account.passkeyKnown' : 'ui.passkeyFailed');
      return undefined;
    }
    const { challengeToken } = options.body;
    const answer = await client.request('POST', '/me/factors/passkeys', {
      challengeToken,
      credential,
    });
    if (answer.ok) done(answer.body.recoveryCodes);
    return answer;
  };
  return (
    <>
      <Action label={t('account.addPasskey')} send={add} />
      {failed && (
        <p class="alert" role="alert">
          {t(failed)}
        </p>
      )}
    </>
  );
}
