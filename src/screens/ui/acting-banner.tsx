import { useEffect, useState } from 'preact/hooks';
import { acting, stopActing } from '#screens/ui/acting';
import { client } from '#screens/ui/client';
import { Button } from '#screens/ui/controls';
import { data } from '#screens/ui/data';
import { t } from '#screens/ui/text';

/** Milliseconds after which the page asks whether the session is still there. */
const LOOK_MS = 60_000;

/** The tokens are kept until the server has ended the session: closing the page would not end it. */
async function endSession(): Promise<boolean> {
  const answer = await client
    .fetch(`${data.publicUrl}/auth/logout`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: '{}',
    })
    .catch(() => undefined);
  return answer?.ok === true;
}

/** Says for as long as it lasts that somebody acts for a user, and ends it. */
export function ActingBanner() {
  const [state, setState] = useState<'busy' | 'failed'>();
  useEffect(() => {
    const look = () => {
      if (document.visibilityState === 'visible') void client.request('GET', '/me');
    };
    const timer = setInterval(look, LOOK_MS);
    document.addEventListener('visibilitychange', look);
    return () => {
      clearInterval(timer);
      document.removeEventListener('visibilitychange', look);
    };
  }, []);
  const { name, username, email } = acting!;
  const stop = async () => {
    setState('busy');
    if (await endSession()) stopActing({ isLost: false });
    else setState('failed');
  };
  return (
    <div class="acting">
      <p role="status">{t('ui.acting', { name: name ?? username ?? email ?? '' })}</p>
      <Button busy={state === 'busy'} onClick={() => void stop()}>
        {t('ui.actingStop')}
      </Button>
      {state === 'failed' && <p role="alert">{t('ui.actingNotStopped')}</p>}
      <p class="about">{t('ui.actingNote')}</p>
    </div>
  );
}
