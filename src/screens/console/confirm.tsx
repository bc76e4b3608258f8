import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Result } from '#src/client/index';
import { Button, ConfirmName, Dialog, Form } from '#screens/ui/controls';

interface Asked {
  /** Of the button, and of the dialog that it opens. */
  label: string;
  kind?: 'plain' | 'danger' | 'primary';
  /** What will happen, and fields if the request needs some. */
  children?: ComponentChildren | ((errors: Record<string, string>) => ComponentChildren);
  send: (fields: Record<string, string>, form: HTMLFormElement) => Promise<Result<unknown> | void>;
  done?: () => void;
  /** Said beside the button when it has happened. */
  said?: string;
}

/** A button that says what will happen before it happens. */
export function Confirm({ label, kind = 'plain', children, send, done, said }: Asked) {
  const [state, setState] = useState<'open' | 'done'>();
  const isDanger = kind === 'danger';
  return (
    <>
      <Button kind={isDanger ? 'danger' : kind} onClick={() => setState('open')}>
        {label}
      </Button>
      {said && state === 'done' && (
        <span class="note" role="status">
          {said}
        </span>
      )}
      {state === 'open' && (
        <Dialog title={label} onClose={() => setState((now) => (now === 'open' ? undefined : now))}>
          <Form
            kind={isDanger ? 'danger' : 'primary'}
            submit={label}
            send={send}
            done={() => {
              setState('done');
              done?.();
            }}
          >
            {children}
          </Form>
        </Dialog>
      )}
    </>
  );
}

/** The same for what cannot be undone: it asks for the name, too. */
export function Destroy({
  label,
  name,
  children,
  send,
  done,
}: {
  label: string;
  name: string;
  children: ComponentChildren;
  send: () => Promise<Result<unknown>>;
  done: () => void;
}) {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button kind="danger" onClick={() => setOpen(true)}>
        {label}
      </Button>
      {isOpen && (
        <ConfirmName
          title={label}
          name={name}
          submit={label}
          onClose={() => setOpen(false)}
          send={async () => {
            const answer = await send();
            if (answer.ok) done();
            return answer;
          }}
        >
          {children}
        </ConfirmName>
      )}
    </>
  );
}
