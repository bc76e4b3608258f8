import { useEffect, useState } from 'react';
import { onQuestion, passkeyProof, type Question } from './client';
import { Field, Form } from './form';

/** Asks for what the server wants to be proved before it goes on. */
export function Proof() {
  const [question, setQuestion] = useState<Question | null>(null);
  useEffect(() => onQuestion(setQuestion), []);
  if (!question) return null;
  const { problem, wrong, answer } = question;
  const isPassword = problem.action === 'step_up' && !problem.acrValues;
  const label = isPassword ? 'Your password again' : 'Code of your app, or recovery code';
  const proofOf = (text: string) =>
    isPassword
      ? { password: text }
      : /^[\d ]+$/.test(text)
        ? { code: text }
        : { recoveryCode: text };
  return (
    <dialog open aria-label="Is it you?">
      <Form button="Go on" onSubmit={async ({ text = '' }) => (answer(proofOf(text)), null)}>
        {wrong && <p role="alert">That was not right.</p>}
        <Field label={label} name="text" type={isPassword ? 'password' : 'text'} />
      </Form>
      <p>
        <button onClick={async () => answer(await passkeyProof(question))}>Use a passkey</button>
        <button onClick={() => answer(null)}>Cancel</button>
      </p>
    </dialog>
  );
}
