import { announce } from '#screens/ui/announce';
import { Button } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

/** Saves a text as a file of whoever looks at the page. */
export function download(name: string, text: string, type: string): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // the browser may still read it
}

export const Copy = ({ text }: { text: string }) => (
  <Button
    onClick={() => {
      void navigator.clipboard.writeText(text).then(
        () => announce(t('ui.copied')),
        () => announce(t('ui.notCopied')),
      );
    }}
  >
    {t('ui.copy')}
  </Button>
);

/** What is shown once. */
export const Secret = ({ label, text }: { label: string; text: string }) => (
  <div class="secret">
    <p class="strong">{label}</p>
    <code>{text}</code>
    <Copy text={text} />
  </div>
);
