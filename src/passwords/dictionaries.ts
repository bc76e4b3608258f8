/** The most used passwords are refused. The list is longer, but what is rarer is not common. */
const COMMON_PASSWORDS = 20_000;
/** `4` for `a`: at most so many such substitutions are tried. More would block the process. */
const MAX_SUBSTITUTIONS = 8;

type Scorer = (password: string, names: string[]) => number;

/** What an instance has loaded to judge passwords. Each is loaded when it is first needed. */
export interface PasswordDictionaries {
  /** The most used passwords, folded. */
  common?: Promise<ReadonlySet<string>>;
  /** zxcvbn: takes 250 ms and 64 MB. */
  scorer?: Promise<Scorer>;
}

export const createPasswordDictionaries = (): PasswordDictionaries => ({});

export const commonPasswords = (loaded: PasswordDictionaries): Promise<ReadonlySet<string>> =>
  (loaded.common ??= loadCommon());

export const scorer = (loaded: PasswordDictionaries): Promise<Scorer> =>
  (loaded.scorer ??= loadScorer());

async function loadCommon(): Promise<ReadonlySet<string>> {
  const { dictionary } = await import('@zxcvbn-ts/language-common');
  return new Set(dictionary['passwords-common'].slice(0, COMMON_PASSWORDS));
}

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
