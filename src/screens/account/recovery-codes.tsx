import { Action } from '#screens/ui/action';
import { client } from '#screens/ui/client';
import { Button, Card } from '#screens/ui/controls';
import { Dialog } from '#screens/ui/dialog';
import { Copy, download } from '#screens/ui/files';
import { t } from '#screens/ui/text';

interface Renewing {
  left: number;
  onNew: (codes: readonly string[]) => void;
}

export const RecoveryCodes = ({ left, onNew }: Renewing) => (
  <Card title={t('account.recoveryCodes')} note={t('account.recoveryNote')}>
    <p>{t('account.codesLeft', { count: left })}</p>
    <div class="actions">
      <Action
        label={t('account.newCodes')}
        send={async () => {
          const answer = await client.request('POST', '/me/factors/recovery-codes');
          if (answer.ok) onNew(answer.body.recoveryCodes);
          return answer;
        }}
      >
        <p>{t('account.newCodesNote')}</p>
      </Action>
    </div>
  </Card>
);

/** The only time that they can be read. */
export function ShownCodes({ codes, onClose }: { codes: readonly string[]; onClose: () => void }) {
  const text = `${codes.join('\n')}\n`;
  return (
    <Dialog title={t('account.recoveryCodes')} close={t('account.codesKept')} onClose={onClose}>
      <p>{t('account.keepCodes')}</p>
      <ul class="codes">
        {codes.map((code) => (
          <li key={code}>
            <code>{code}</code>
          </li>
        ))}
      </ul>
      <div class="actions">
        <Copy text={text} />
        <Button onClick={() => download('recovery-codes.txt', text, 'text/plain')}>
          {t('account.download')}
        </Button>
        <Button onClick={() => window.print()}>{t('account.print')}</Button>
      </div>
    </Dialog>
  );
}
