import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { Problem, Result } from '#src/client/index';
import { acting } from '#screens/ui/acting';
import { Alert, Button } from '#screens/ui/controls';

interface ActionProps {
  act: () => Promise<Result<unknown> | void>;
  done?: () => void;
  kind?: 'primary' | 'plain' | 'danger';
  /** What a screen reader says, where the text alone does not say what it is about. */
  label?: string;
  children: ComponentChildren;
}

/** A button that waits for its answer, and shows why it was refused. It is not there for somebody who acts for the user. */
export function Action({ act, done, kind = 'plain', label, children }: ActionProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  if (acting) return null;
  const run = async () => {
    setBusy(true);
    const answer = await act();
    setBusy(false);
    setProblem(answer && !answer.ok ? answer.body : undefined);
    if (!answer || answer.ok) done?.();
  };
  return (
    <>
      <Button kind={kind} busy={busy} aria-label={label} onClick={() => void run()}>
        {children}
      </Button>
      <Alert problem={problem} />
    </>
  );
}
