import type { ComponentChildren, JSX, TargetedSubmitEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Problem, Result } from '#src/client/index';
import { acting } from '#screens/ui/acting';
import { problemText } from '#screens/ui/text';

type Children = { children?: ComponentChildren };

export const Card = ({ title, note, children }: Children & { title?: string; note?: string }) => (
  <section class="card">
    {title && <h2>{title}</h2>}
    {note && <p class="note">{note}</p>}
    {children}
  </section>
);

/** Said at once to who cannot see it. */
export const Alert = ({ problem }: { problem?: Problem | undefined }) =>
  problem ? (
    <p class="alert" role="alert">
      {problemText(problem)}
    </p>
  ) : null;

/** Why a list is empty, and what to do about it. */
export const Empty = ({ title, children }: Children & { title: string }) => (
  <div class="empty">
    <p class="strong">{title}</p>
    {children}
  </div>
);

/** Preact ties some attributes to the type of an input; here it may come late. */
type InputProps = Omit<JSX.IntrinsicElements['input'], 'type' | 'role'> & { type?: string };

type Kind = 'primary' | 'plain' | 'danger' | 'link';
/** While it is busy it does nothing, but keeps the focus: a disabled button would lose it. */
export const Button = ({
  kind = 'plain',
  busy = false,
  onClick,
  ...given
}: JSX.IntrinsicElements['button'] & { kind?: Kind; busy?: boolean }) => (
  <button
    type="button"
    {...given}
    onClick={busy ? undefined : onClick}
    class={`button ${kind}`}
    aria-busy={busy}
    aria-disabled={busy}
  />
);

/** A labelled input. The error of a refused field stands below it, and is read with it. */
export function Field({
  label,
  hint,
  error,
  ...given
}: InputProps & { label: string; hint?: string; error?: string | undefined }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        id={id}
        aria-describedby={`${id}-note`}
        aria-invalid={error !== undefined}
        {...(given as JSX.IntrinsicElements['input'])}
      />
      <span id={`${id}-note`} class={error ? 'error' : 'hint'}>
        {error ?? hint}
      </span>
    </div>
  );
}

/** The error of each field, by its name, as the server points at it. */
const fieldErrors = (problem: Problem | undefined): Record<string, string> =>
  Object.fromEntries(
    (problem?.errors ?? []).map(({ pointer, message }) => [pointer.slice(1), message]),
  );

/**
 * A form whose button waits for its answer. What was typed stays until `send` succeeds. Somebody who acts for the user sees
 * what is in it.
 */
export function Form({
  send,
  done,
  submit,
  kind = 'primary',
  children,
}: {
  send: (fields: Record<string, string>, form: HTMLFormElement) => Promise<Result<unknown> | void>;
  done?: () => void;
  submit: string;
  kind?: Kind;
  children?: ComponentChildren | ((errors: Record<string, string>) => ComponentChildren);
}) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const onSubmit = async (event: TargetedSubmitEvent<HTMLFormElement>) => {
    event.preventDefault();
    const form = event.currentTarget;
    if (busy) return;
    setBusy(true);
    const fields = Object.fromEntries(new FormData(form)) as Record<string, string>;
    const answer = await send(fields, form);
    setBusy(false);
    setProblem(answer && !answer.ok ? answer.body : undefined);
    if (!answer || answer.ok) done?.();
  };
  const element = useRef<HTMLFormElement>(null);
  useEffect(
    () => element.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus(),
    [problem],
  );
  const isAtFields = typeof children === 'function' && problem?.errors?.length;
  const fields = typeof children === 'function' ? children(fieldErrors(problem)) : children;
  if (acting) return <fieldset disabled>{fields}</fieldset>;
  return (
    <form onSubmit={onSubmit} ref={element}>
      <Alert problem={isAtFields ? undefined : problem} />
      {fields}
      <div class="actions">
        <Button type="submit" kind={kind} busy={busy}>
          {submit}
        </Button>
      </div>
    </form>
  );
}
