import { Readable } from 'node:stream';
import { expect, vi } from 'vitest';
import { program } from '#src/cli/commands';
import { run } from '#src/cli/run';

/** What `process.exit` does here instead of ending the tests. */
class Exit extends Error {
  readonly code: number;
  constructor(code: number) {
    super(`exit ${code}`);
    this.code = code;
  }
}

/**
 * The command line in this process, one command after the other: the same words, sentences and exit codes as in a process
 * of its own, ten times as fast.
 */
export function commandLine(env: Record<string, string | undefined>) {
  return async (line: string | string[], input = '') => {
    const heard = { stdout: '', stderr: '' };
    const spies = (['stdout', 'stderr'] as const).map((name) =>
      vi.spyOn(process[name], 'write').mockImplementation((text) => {
        heard[name] += String(text);
        return true;
      }),
    );
    const stdin = vi
      .spyOn(process, 'stdin', 'get')
      .mockReturnValue(Readable.from([input]) as never);
    const exit = vi.spyOn(process, 'exit').mockImplementation((code) => {
      throw new Exit(Number(code ?? 0));
    });
    let code = 0;
    const ended = (error: unknown) => {
      if (!(error instanceof Exit)) throw error;
      ({ code } = error);
    };
    try {
      await run(async () => {
        await program(env)
          .parseAsync(typeof line === 'string' ? line.split(' ') : line, { from: 'user' })
          .catch(ended);
      }).catch(ended);
    } finally {
      for (const spy of [...spies, stdin, exit]) spy.mockRestore();
    }
    return { code, ...heard };
  };
}

/** What the command line answers: `does` and `json` expect that it did it, `refuses` that it did not. */
export const speaking = (run: ReturnType<typeof commandLine>) => {
  const does = async (line: string, input?: string) => {
    const { code, stdout, stderr } = await run(line, input);
    expect([code, stderr], line).toEqual([0, '']);
    return stdout;
  };
  return {
    does,
    // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
    json: async (line: string, input?: string): Promise<any> =>
      JSON.parse(await does(`${line} --json`, input)),
    refuses: async (line: string, sentence: RegExp, input?: string) => {
      const { code, stdout, stderr } = await run(line, input);
      expect(stderr, line).toMatch(sentence);
      expect([code, stdout], line).toEqual([1, '']);
    },
  };
};
