/** Of a longer statement, such as one with a long list, the end is left out. */
const MAX_LENGTH = 4000;

/**
 * A statement with `?` in the place of every value, for people who look at traces. Sequelize writes many values into the
 * text. `system`: in SQLite a backslash in a text means itself, in MySQL and MariaDB it does not. What is not
 * understood is left out with all that follows.
 */
export function withoutValues(system: string, statement: string): string {
  const sql = statement.slice(0, MAX_LENGTH);
  const text = system === 'sqlite' ? "'(?:[^']|'')*'" : String.raw`'(?:[^'\\]|\\[^]|'')*'`;
  const token = new RegExp(
    [
      '`[^`]*`', // a name
      String.raw`[A-Za-z_$@][\w$@]*(?![\w$@'])`, // a word, or $1
      String.raw`(?:[XxBbNn])?${text}`,
      String.raw`(?:0[xX][\da-fA-F]+|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)`,
      String.raw`\s+`,
      String.raw`[^\s'"\\A-Za-z0-9]`,
    ]
      .map((each) => `(?:${each})`)
      .join('|'),
    'y',
  );
  let found = '';
  while (token.lastIndex < sql.length) {
    const [each] = token.exec(sql) ?? [];
    if (each === undefined) return `${found.trim()} …`;
    const isValue = /^(?:\d|[XxBbNn]?')/.test(each);
    found += isValue ? '?' : /^\s/.test(each) ? ' ' : each;
  }
  return found.trim();
}
