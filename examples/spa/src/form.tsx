import { useState, type InputHTMLAttributes, type ReactNode } from 'react';
import { sentence, type Answer } from './client';

/** Runs a task, and shows why it was refused. */
export function useTask() {
  const [text, setText] = useState('');
  const [isBusy, setBusy] = useState(false);
  async function run(task: () => Promise<Answer>) {
    setBusy(true);
    const answer = await task();
    setText(!answer || answer.ok ? '' : sentence(answer.body));
    setBusy(false);
  }
  return { run, isBusy, alert: text && <p role="alert">{text}</p> };
}

interface FormProps {
  button: string;
  onSubmit: (values: Record<string, string>) => Promise<Answer>;
  children: ReactNode;
}
export function Form({ button, onSubmit, children }: FormProps) {
  const { run, isBusy, alert } = useTask();
  const submit = (data: FormData) =>
    run(() => onSubmit(Object.fromEntries(data) as Record<string, string>));
  return (
    <form onSubmit={(event) => (event.preventDefault(), submit(new FormData(event.currentTarget)))}>
      {children}
      {alert}
      <button disabled={isBusy}>{button}</button>
    </form>
  );
}

type FieldProps = InputHTMLAttributes<HTMLInputElement> & { label: string };
export const Field = ({ label, ...input }: FieldProps) => (
  <label>
    {label}
    <input required {...input} />
  </label>
);
