import { startAuthentication, startRegistration } from '@simplewebauthn/browser';
import { createClient } from 'sallyport/client';
import type { Prompt, Problem, Proof, Result } from 'sallyport/client';

/** A question to the user: for a second factor, or for the password again. */
export interface Question {
  problem: Parameters<Prompt>[0];
  wrong: boolean;
  answer: (proof: Proof | null) => void;
}
let show: (question: Question | null) => void = () => {};
export const onQuestion = (listener: typeof show): void => void (show = listener);

export const client = createClient({
  url: import.meta.env.VITE_SALLYPORT_URL ?? 'http://localhost:3000',
  device: { kind: 'web', name: 'The example' },
  prompt: (problem, wrong) =>
    new Promise((answered) => {
      const answer = (proof: Proof | null) => (show(null), answered(proof));
      show({ problem, wrong, answer });
    }),
});

/** What came back from a provider. It is taken once, before anything is shown. */
export const cameBack = client.comeBack();

/** What a passkey answers; null if the user cancels. */
export const assertion = (publicKey: object) =>
  startAuthentication({ optionsJSON: publicKey as never }).catch(() => null);
export const registration = (publicKey: object) =>
  startRegistration({ optionsJSON: publicKey as never }).catch(() => null);

export async function passkeyProof({ problem: { mfaToken } }: Question): Promise<Proof | null> {
  const options = mfaToken
    ? await client.request('POST', '/auth/mfa/options', { mfaToken })
    : await client.request('POST', '/auth/reauthenticate/options');
  const credential =
    options.ok && options.body.publicKey && (await assertion(options.body.publicKey));
  return credential ? { credential } : null;
}

/** A sentence for a person. */
export const sentence = ({ action, title }: Problem): string =>
  action === 'wait' ? 'The server cannot be reached. Try again in a moment.' : title;
export type Answer = Result<unknown> | null;
