import { loadCommonPasswords } from '#src/passwords/common-passwords';
import { lazy } from '#src/platform/lazy';

/** `4` for `a`: at most so many such substitutions are tried. More would block the process. */
const MAX_SUBSTITUTIONS = 8;

type Scorer = (password: string, names: string[]) => number;

/** What an instance has loaded to judge passwords. */
export interface PasswordDictionaries {
  /** The most used passwords: 450 kB. */
  common(): Promise<Buffer>;
  /** zxcvbn: takes 250 ms and 64 MB. */
  scorer(): Promise<Scorer>;
}

export const createPasswordDictionaries = (): PasswordDictionaries => ({
  common: lazy(loadCommonPasswords),
  scorer: lazy(loadScorer),
});

async function loadScorer(): Promise<Scorer> {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  const zxcvbn = new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    l33tMaxSubstitutions: MAX_SUBSTITUTIONS,
  });
  return (password, names) => zxcvbn.check(password, names).score;
}
