/** A text of so few pieces that each follow from what stands before says nothing. */
const FEW_PIECES = 4;
/** Characters that are interleaved, as in `1q2w3e4r`, or written several times, as in `111222333`. */
const STRIDES = [1, 2, 3, 4];
/** Shorter repetitions happen by chance. */
const SHORTEST_COPY = 3;

/** Rows of keys, from the top. Keys of a column stand below each other, as in `1qaz`. */
const KEYBOARDS = [
  ['1234567890-=', 'qwertyuiop[]', "asdfghjkl;'", 'zxcvbnm,./'],
  ['!@#$%^&*()_+', 'qwertyuiop{}', 'asdfghjkl:"', 'zxcvbnm<>?'],
  ['1234567890', 'qwertzuiopü', 'asdfghjklöä', 'yxcvbnm,.-'],
  ['1234567890', 'azertyuiop', 'qsdfghjklm', 'wxcvbn,;:!'],
  ['1234567890-=', 'йцукенгшщзхъ', 'фывапролджэ', 'ячсмитьбю.'],
  ['789', '456', '123', '0'],
].map(
  (rows) =>
    new Map(rows.flatMap((keys, row) => [...keys].map((key, column) => [key, [row, column]]))),
);

/**
 * True for a folded text that is written without thinking: repetitions, sequences, lines on a
 * keyboard, forwards and backwards, also interleaved, and up to four of these in a row. Each of the
 * patterns counts as one piece, and so does every other character.
 */
export function isPredictable(folded: string): boolean {
  const chars = [...folded];
  let pieces = 0;
  for (let at = 0; at < chars.length;) {
    const [end, cost] = longestPiece(chars, at);
    pieces += cost;
    if (pieces > FEW_PIECES) return false;
    at = end;
  }
  return true;
}

/** Where the piece that begins here ends, and for how many pieces it counts. */
function longestPiece(chars: readonly string[], start: number): [end: number, cost: number] {
  let best: [number, number] = [start + 1, 1];
  const consider = (end: number, cost: number) => {
    if (end - start - cost > best[0] - start - best[1]) best = [end, cost];
  };
  for (const stride of STRIDES) {
    const end = endOfLine(chars, start, stride);
    if (end - start > 2 * stride) consider(end, stride);
  }
  const end = endOfCopy(chars, start);
  if (end - start >= SHORTEST_COPY) consider(end, 1);
  return best;
}

/** A line goes on while each character follows by the same step from the one a stride before. */
function endOfLine(chars: readonly string[], start: number, stride: number): number {
  let common: string[] | undefined;
  let end = start + stride;
  for (; end < chars.length; end++) {
    const steps = stepsBetween(chars[end - stride]!, chars[end]!);
    common = common ? common.filter((step) => steps.includes(step)) : steps;
    if (common.length === 0) break;
  }
  return Math.min(end, chars.length);
}

/** The names of the small steps that lead from one character to another. */
function stepsBetween(from: string, to: string): string[] {
  const distance = to.codePointAt(0)! - from.codePointAt(0)!;
  const steps = Math.abs(distance) <= 1 ? [`code ${distance}`] : [];
  KEYBOARDS.forEach((keys, keyboard) => {
    const [a, b] = [keys.get(from), keys.get(to)];
    if (!a || !b || from === to) return;
    const [down, right] = [b[0]! - a[0]!, b[1]! - a[1]!];
    if (Math.abs(down) <= 1 && Math.abs(right) <= 1) steps.push(`${keyboard} ${down} ${right}`);
  });
  return steps;
}

/** How far the text from here on repeats what began before. */
function endOfCopy(chars: readonly string[], start: number): number {
  let longest = start;
  for (let from = 0; from < start; from++) {
    let end = start;
    while (end < chars.length && chars[from + end - start] === chars[end]) end++;
    longest = Math.max(longest, end);
  }
  return longest;
}

/** `dragon` for `dragondragon`: what a text repeats from its beginning to its end. */
export function unitOf(text: string): string {
  const period = `${text}${text}`.indexOf(text, 1);
  return text.slice(0, period > 0 ? period : text.length);
}
