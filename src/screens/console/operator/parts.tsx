import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Button, Empty } from '#screens/ui/controls';
import { Dialog } from '#screens/ui/dialog';
import type { Pages } from '#screens/ui/hooks';
import { pathTo } from '#screens/ui/screen';
import { ago, dateTime, t } from '#screens/ui/text';

/** A list that is there as a whole. */
export const whole = <T,>(rows: T[]): Pages<T> => ({ rows, isLoading: false, reload: () => {} });

const NONE = {
  services: ['console.services.none', 'console.services.noneHelp'],
  webhooks: ['console.webhooks.none', 'console.webhooks.noneHelp'],
  mails: ['console.mails.none', 'console.mails.noneHelp'],
} as const;

/** An empty list, and what there is one for. */
export const None = ({ of }: { of: keyof typeof NONE }) => (
  <Empty title={t(NONE[of][0])}>
    <p>{t(NONE[of][1])}</p>
  </Empty>
);

/** A time as people say it. The exact one is read with it. */
export const Ago = ({ time }: { time: string | null }) =>
  time ? (
    <time dateTime={time} title={dateTime(time)}>
      {ago(time)}
    </time>
  ) : (
    <>–</>
  );

export const When = ({ time }: { time: string }) => <time dateTime={time}>{dateTime(time)}</time>;

/** The user with this id, by the beginning of it. The page of the user says more. */
export const UserLink = ({ id }: { id: string }) => (
  <a href={pathTo('console', `users/${id}`)} title={id}>
    <bdi dir="ltr">
      <code>{id.slice(0, 8)}…</code>
    </bdi>
  </a>
);

/** What belongs to a field, also if the server points into it: `types/0`. */
export const errorOf = (errors: Record<string, string>, name: string): string | undefined =>
  errors[name] ?? Object.entries(errors).find(([key]) => key.startsWith(`${name}/`))?.[1];

/** A secret that the server does not tell again. */
export function Secret({
  title,
  secret,
  onClose,
  children,
}: {
  title: string;
  secret: string;
  onClose: () => void;
  children?: ComponentChildren;
}) {
  const [isCopied, setCopied] = useState(false);
  return (
    <Dialog title={title} onClose={onClose} close={t('console.secret.done')}>
      {children}
      <p>
        <strong>{t('console.secret.once')}</strong>
      </p>
      <p>
        <code class="once">{secret}</code>
      </p>
      <div class="actions">
        <Button
          kind="primary"
          onClick={() =>
            void navigator.clipboard?.writeText(secret).then(
              () => setCopied(true),
              () => setCopied(false),
            )
          }
        >
          {t('console.secret.copy')}
        </Button>
        <span role="status">{isCopied ? t('console.secret.copied') : ''}</span>
      </div>
    </Dialog>
  );
}
