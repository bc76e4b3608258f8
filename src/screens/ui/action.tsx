import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem, Result } from '#src/client/index';
import { acting } from '#screens/ui/acting';
import { Alert, Button, Form } from '#screens/ui/controls';
import { ConfirmName, Dialog } from '#screens/ui/dialog';

interface ActionProps {
  /** Of the button. */
  label: string;
  /** What it is about, where the label alone does not say so: for screen readers, and over the dialog. */
  about?: string;
  kind?: 'primary' | 'plain' | 'danger';
  /** Of the button in the dialog. */
  submit?: string;
  send: (fields: Record<string, string>) => Promise<Result<unknown> | void>;
  done?: () => void;
  /** Said beside the button when it has happened. */
  said?: string;
  /** What will happen, and fields if the request needs some. With them a dialog asks before anything happens. */
  children?: ComponentChildren | ((errors: Record<string, string>) => ComponentChildren);
}

/**
 * A button that does something on the server, and shows why it was refused. It is not there for somebody who acts for the
 * user.
 */
export function Action(props: ActionProps) {
  if (acting) return null;
  return props.children === undefined ? <AtOnce {...props} /> : <Asking {...props} />;
}

function AtOnce({ label, about, kind = 'plain', send, done }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const run = async () => {
    setBusy(true);
    const answer = await send({});
    setBusy(false);
    setProblem(answer && !answer.ok ? answer.body : undefined);
    if (!answer || answer.ok) done?.();
  };
  return (
    <>
      <Button kind={kind} busy={busy} aria-label={about} onClick={() => void run()}>
        {label}
      </Button>
      <Alert problem={problem} />
    </>
  );
}

function Asking(props: ActionProps) {
  const { label, about, kind = 'plain', submit = label, send, done, said, children } = props;
  const [state, setState] = useState<'open' | 'done'>();
  const finish = () => {
    setState('done');
    done?.();
  };
  return (
    <>
      <Button kind={kind} aria-label={about} onClick={() => setState('open')}>
        {label}
      </Button>
      {said && state === 'done' && (
        <span class="note" role="status">
          {said}
        </span>
      )}
      {state === 'open' && (
        <Dialog
          title={about ?? label}
          onClose={() => setState((now) => (now === 'open' ? undefined : now))}
        >
          <Form
            kind={kind === 'danger' ? kind : 'primary'}
            submit={submit}
            send={send}
            done={finish}
          >
            {children}
          </Form>
        </Dialog>
      )}
    </>
  );
}

/** The same for what cannot be undone, or concerns everybody: it asks for the name, too. */
export function Destroy({
  label,
  kind = 'danger',
  submit = label,
  name,
  children,
  send,
  done,
}: Pick<ActionProps, 'label' | 'kind' | 'submit' | 'send' | 'done'> & {
  name: string;
  children: ComponentChildren;
}) {
  const [isOpen, setOpen] = useState(false);
  if (acting) return null;
  return (
    <>
      <Button kind={kind} onClick={() => setOpen(true)}>
        {label}
      </Button>
      {isOpen && (
        <ConfirmName
          title={label}
          kind={kind === 'danger' ? kind : 'primary'}
          name={name}
          submit={submit}
          onClose={() => setOpen(false)}
          send={async () => {
            const answer = await send({});
            if (answer?.ok) done?.();
            return answer;
          }}
        >
          {children}
        </ConfirmName>
      )}
    </>
  );
}
