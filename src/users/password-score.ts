import { config } from '#src/config';

/**
 * It blocks, and takes a second for 100 characters that are made for it: of a longer password the beginning counts, in characters,
 * and of `4` for `a` only so many. That is 30 ms at worst.
 */
const [LOOKED_AT, SUBSTITUTIONS] = [32, 8];

let factory: Promise<(password: string, names: string[]) => number> | undefined;
/** Loaded when first asked for: a quarter of a second, and 64 MB. */
const scorer = () => (factory ??= load());

async function load() {
  const [{ ZxcvbnFactory }, common, english] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
    import('@zxcvbn-ts/language-en'),
  ]);
  const zxcvbn = new ZxcvbnFactory({
    dictionary: { ...common.dictionary, ...english.dictionary },
    graphs: common.adjacencyGraphs,
    l33tMaxSubstitutions: SUBSTITUTIONS,
  });
  return (password: string, names: string[]) => zxcvbn.check([...password].slice(0, LOOKED_AT).join(''), names).score;
}

/** Whether zxcvbn gives a password less than PASSWORD_MIN_SCORE, from 0 (guessed at once) to 4. Names of its owner count for nothing. */
export const isGuessable = async (password: string, names: string[]): Promise<boolean> =>
  config.PASSWORD_MIN_SCORE > 0 && (await scorer())(password, names) < config.PASSWORD_MIN_SCORE;
