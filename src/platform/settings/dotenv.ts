import { existsSync, readFileSync } from 'node:fs';
import { isForeign } from '#src/platform/settings/foreign';

/** What a file `.env` holds. */
export interface Dotenv {
  readonly values: Readonly<Record<string, string>>;
  /** One sentence for each line that is none. None repeats what stands there. */
  readonly mistakes: readonly string[];
}

export const NO_DOTENV: Dotenv = Object.freeze({ values: {}, mistakes: [] });

/** One line, or several if a quoted value has line ends. An empty line and a comment match, too, without a name. */
const ENTRY =
  /^[ \t]*(?:(?:export[ \t]+)?([\w.-]+)[ \t]*=[ \t]*(?:"([^"]*)"|'([^']*)'|`([^`]*)`|([^\s"'`#][^\n#]*)?))?[ \t]*(?:#[^\n]*)?(?:\n|$)/;

/** `.env` of this folder. */
export function readDotenv(): Dotenv {
  if (!existsSync('.env')) return NO_DOTENV;
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(readFileSync('.env'));
    return parseDotenv(text);
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    const why = code.startsWith('ERR_ENCODING')
      ? '.env is not UTF-8 text: save it as UTF-8'
      : `.env cannot be read (${code}): it must be a file that this user may read`;
    return { values: {}, mistakes: [why] };
  }
}

/**
 * Lines as Node reads them (`util.parseEnv`), and a mistake for each that Node would skip or cut without a word: no
 * `NAME=value`, a quote that does not end, `#` amid a value, `${NAME}`, a name that stands twice.
 */
export function parseDotenv(file: string): Dotenv {
  const text = file.replaceAll(/\r\n?/g, '\n');
  const values: Record<string, string> = Object.create(null);
  const mistakes: string[] = [];
  const lines = new Map<string, number>();
  for (let at = 0, line = 1; at < text.length;) {
    const match = ENTRY.exec(text.slice(at));
    const end = match ? at + match[0].length : text.indexOf('\n', at) + 1 || text.length;
    const fault = match ? faultOf(match, lines) : noLine(text.slice(at, end));
    if (fault) mistakes.push(`.env, line ${line}: ${fault}`);
    else if (match?.[1]) values[match[1]] = valueOf(match);
    if (match?.[1] && !lines.has(match[1])) lines.set(match[1], line);
    line += text.slice(at, end).split('\n').length - 1;
    at = end;
  }
  return { values: { ...values }, mistakes };
}

const valueOf = ([, , double, single, tick, plain]: RegExpExecArray): string =>
  double?.replaceAll(String.raw`\n`, '\n') ?? single ?? tick ?? plain?.trim() ?? '';

function faultOf(match: RegExpExecArray, lines: ReadonlyMap<string, number>): string | undefined {
  const [whole, name, double, single, tick, plain = ''] = match;
  if (name === undefined || isForeign(name, '')) return undefined;
  if (lines.has(name)) return `${name} stands in line ${lines.get(name)}, too; remove one of them`;
  const isQuoted = [double, single, tick].some((value) => value !== undefined);
  if (!isQuoted && whole.includes('#') && !/\s$/.test(plain || whole.split('#')[0]!))
    return `# would cut the value of ${name}: put the value into quotes, or a space before the comment`;
  if (/\$\{\w+\}/.test(double ?? plain))
    return `\${…} is not replaced in the value of ${name}: write the value out, or put it into single quotes`;
  return undefined;
}

const noLine = (text: string): string =>
  /^[ \t]*(export[ \t]+)?[\w.-]+[ \t]*=[ \t]*["'`]/.test(text)
    ? 'the quote that opens the value does not end, or something follows its end'
    : 'it is not NAME=value; a comment begins with #';
