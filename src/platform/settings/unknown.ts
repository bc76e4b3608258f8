/**
 * A sentence for each name that was meant as a setting and is none: every unknown name in `.env`, and in the environment
 * of the process each that is one slip away from a real name. A misspelt setting would be off without a word.
 */
export function unknownNames(names: readonly string[], env: object, dotenv: object): string[] {
  return Object.keys(env)
    .filter((name) => !names.includes(name))
    .flatMap((name) => {
      const meant = name.length >= 6 ? names.find((real) => isSlip(name, real)) : undefined;
      if (!meant && !(name in dotenv)) return [];
      return [
        `${name} is not a setting${meant ? `: did you mean ${meant}?` : ' of this server; remove it from .env'}`,
      ];
    });
}

/** One letter is missing, added, changed or swapped with its neighbour; or only `_` and case differ; or one name begins with the other. */
function isSlip(a: string, b: string): boolean {
  const [x, y] = [a, b].map((name) => name.replaceAll('_', '').toUpperCase()) as [string, string];
  if (x === y) return true;
  if (Math.min(x.length, y.length) < 6) return false;
  if (Math.min(x.length, y.length) >= 10 && (x.startsWith(y) || y.startsWith(x))) return true;
  let start = 0;
  while (start < x.length && x[start] === y[start]) start++;
  let end = 0;
  while (end < Math.min(x.length, y.length) - start && x.at(-1 - end) === y.at(-1 - end)) end++;
  const [left, right] = [x.slice(start, x.length - end), y.slice(start, y.length - end)];
  return (
    Math.max(left.length, right.length) <= 1 ||
    (left.length === 2 && left[0] === right[1] && left[1] === right[0])
  );
}
