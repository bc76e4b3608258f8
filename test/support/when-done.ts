import { afterAll, onTestFinished } from 'vitest';

type End = () => unknown;

/** Ends what was started when the test file is done. A program outside of vitest ends it itself. */
export function whenFileDone(end: End): void {
  try {
    afterAll(async () => void (await end()));
  } catch {
    // no test file
  }
}

/** The same when the test is done. What was started outside of a test is ended by whoever started it. */
export function whenTestDone(end: End): void {
  try {
    onTestFinished(async () => void (await end()));
  } catch {
    // no test
  }
}
