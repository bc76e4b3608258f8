import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Result } from '#src/client/index';
import { Field, Form } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

type Children = { children?: ComponentChildren };

/** A dialog above everything. Escape and `onClose` end it; the focus goes back to where it was. */
export function Dialog({
  title,
  close = t('ui.cancel'),
  onClose,
  children,
}: Children & { title: string; close?: string; onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const element = dialog.current!;
    const before = document.activeElement;
    element.showModal();
    return () => {
      if (!element.open) return;
      element.close(); // nothing outside can have the focus before
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      aria-labelledby={id}
      onClose={({ currentTarget }) => currentTarget.isConnected && onClose()}
    >
      <h2 id={id}>{title}</h2>
      {children}
      <form method="dialog" class="close">
        <button class="button plain">{close}</button>
      </form>
    </dialog>
  );
}

/** Asks for a name before something great happens. `children` say what will happen. */
export function ConfirmName({
  title,
  kind,
  name,
  submit,
  send,
  onClose,
  children,
}: Children & {
  title: string;
  kind: 'primary' | 'danger';
  name: string;
  submit: string;
  send: () => Promise<Result<unknown> | void>;
  onClose: () => void;
}) {
  const [typed, setTyped] = useState('');
  const [isWrong, setWrong] = useState(false);
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      <Form
        kind={kind}
        submit={submit}
        done={() => typed === name && onClose()}
        send={async () => {
          setWrong(typed !== name);
          return typed === name ? send() : undefined;
        }}
      >
        <Field
          label={t('ui.typeName', { name })}
          value={typed}
          autocomplete="off"
          error={isWrong ? t('ui.otherName') : undefined}
          onInput={({ currentTarget }) => setTyped(currentTarget.value)}
        />
      </Form>
    </Dialog>
  );
}
