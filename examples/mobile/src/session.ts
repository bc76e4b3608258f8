import { File, Paths } from 'expo-file-system';
import * as SecureStore from 'expo-secure-store';
import { Platform } from 'react-native';
import { createClient, expoSecureStore } from 'sallyport/client';
import type { Prompt, Proof } from 'sallyport/client';

/** A question to the user: for a second factor, or for the password again. */
export interface Question {
  problem: Parameters<Prompt>[0];
  wrong: boolean;
  answer: (proof: Proof | null) => void;
}
let show: (question: Question | null) => void = () => {};
export const onQuestion = (listener: typeof show): void => void (show = listener);

export const client = createClient({
  url: process.env.EXPO_PUBLIC_SALLYPORT_URL ?? 'http://localhost:3000',
  storage: expoSecureStore(SecureStore),
  device: { kind: 'mobile', name: 'The example', platform: Platform.OS },
  prompt: (problem, wrong) =>
    new Promise((answered) => {
      const answer = (proof: Proof | null) => (show(null), answered(proof));
      show({ problem, wrong, answer });
    }),
});

/**
 * Call it before anything is shown. The keychain of iOS outlives the app: what an earlier installation left there is signed
 * out. The file goes with the app.
 */
export async function start(): Promise<void> {
  const installed = new File(Paths.document, 'installed');
  if (installed.exists) return;
  const { ok, body } = await client.signOut();
  if (!ok && body.code === 'storage_failed') return; // locked: at the next start
  installed.create();
}
