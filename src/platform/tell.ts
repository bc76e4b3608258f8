/** Writes a line for the person who started a program. Standard output is for its answers and its log. */
export const tellPerson = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
