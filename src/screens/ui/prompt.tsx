import { useEffect, useState } from 'preact/hooks';
import type { Prompt, Proof } from '#src/client/index';
import { Dialog, Field, Form } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

type Question = {
  problem: Parameters<Prompt>[0];
  wrong: boolean;
  answer: (proof: Proof | null) => void;
};

/** The dialog that is on the page. */
const host: { show?: (question: Question | undefined) => void } = {};

/** Asks the user for a password or a code, and waits. Null if the dialog is closed. */
export const askForProof: Prompt = (problem, wrong) =>
  new Promise((resolve) => {
    const answer = (proof: Proof | null) => {
      host.show?.(undefined);
      resolve(proof);
    };
    host.show?.({ problem, wrong, answer });
  });

/** Where questions appear. One of it is on every screen. */
export function Prompts() {
  const [question, setQuestion] = useState<Question>();
  useEffect(() => {
    host.show = setQuestion;
  }, []);
  if (!question) return null;
  const { problem, wrong, answer } = question;
  const needsCode = problem.action === 'second_factor';
  const name = needsCode ? 'code' : 'password';
  return (
    <Dialog title={t('ui.prove')} onClose={() => answer(null)} key={problem}>
      <p class="note">{t(needsCode ? 'ui.proveCode' : 'ui.provePassword')}</p>
      <Form
        submit={t('ui.continue')}
        send={async (fields) => answer({ [name]: fields[name] } as Proof)}
      >
        <Field
          label={t(needsCode ? 'ui.code' : 'ui.password')}
          name={name}
          type={needsCode ? 'text' : 'password'}
          autocomplete={needsCode ? 'one-time-code' : 'current-password'}
          error={wrong ? t('ui.wrongProof') : undefined}
          required
        />
      </Form>
    </Dialog>
  );
}
