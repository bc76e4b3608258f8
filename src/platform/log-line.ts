type Fields = Record<string, unknown>;

/**
 * A JSON line of the log as a person reads it: time of day, level if it is not `info`, what happened, the other fields.
 * Each line of a stack trace follows on a line of its own, indented.
 */
export function readableLine(json: string): string {
  const { time, level, err, stack, ...fields } = JSON.parse(json) as Fields;
  const at = new Date(time as string).toLocaleTimeString('en-GB');
  const words = [at, ...(level === 'info' ? [] : [level]), ...wordsOf({ ...fields, err })];
  const trace = (stack ?? (err as Fields | undefined)?.['stack'] ?? '') as string;
  const indented = trace.split('\n').map((each) => `    ${each.trim()}`);
  return [words.join(' '), ...(trace ? indented : [])].map((each) => `${escaped(each)}\n`).join('');
}

function wordsOf({ msg, event, method, path, status, ms, ...rest }: Fields): string[] {
  const request = method === undefined ? [] : [method, path, status, `${String(ms)} ms`];
  const message = event ?? (msg === 'request' ? undefined : msg);
  const others = Object.entries(rest).map(([name, value]) => [name, valueOf(value)] as const);
  return [
    ...[...request, message].filter((word) => word !== undefined).map(String),
    ...others.flatMap(([name, value]) => (value === undefined ? [] : [`${name}=${value}`])),
  ];
}

/** A plain word as it is, everything else as JSON: a value with a space in it cannot look like another field. */
const valueOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)
    ? value
    : JSON.stringify(value, (name, each: unknown) => (name === 'stack' ? undefined : each));

/** Control characters steer a terminal, and some others change the direction of text. A client must not send it any. */
const escaped = (text: string): string =>
  text.replaceAll(
    /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
