import type { Prompt, Proof } from '#src/client/index';

export interface Question {
  problem: Parameters<Prompt>[0];
  wrong: boolean;
  answer: (proof: Proof | null) => void;
}

/** The dialog that is on the page. */
const host: { show?: (question: Question | undefined) => void } = {};

/** Asks the user for a proof, and waits. Null if the dialog is closed. */
export const askForProof: Prompt = (problem, wrong) =>
  new Promise((resolve) => {
    const answer = (proof: Proof | null) => {
      host.show?.(undefined);
      resolve(proof);
    };
    host.show?.({ problem, wrong, answer });
  });

/** Where questions go from now on. */
export const showQuestions = (show: (question: Question | undefined) => void): void => {
  host.show = show;
};
