/** Something outside of the settings keeps the server from starting. One sentence that names the setting and the remedy. */
export class StartError extends Error {
  constructor(sentence: string, cause?: unknown) {
    super(sentence, { cause });
    this.name = 'StartError';
  }
}
