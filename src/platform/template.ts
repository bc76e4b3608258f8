/** A text with places such as `{{title}}`, to be filled again and again. */
export type Template<P extends string = string> = (values: Readonly<Record<P, string>>) => string;

const PLACE = /\{\{(\w+)\}\}/;

/** The names of the places in a text, each once. */
export const placesIn = (text: string): string[] => [
  ...new Set(text.split(PLACE).filter((_, at) => at % 2 === 1)),
];

/** What is put into a place is not looked at again. HTML must be escaped before. */
export function template<P extends string>(text: string): Template<P> {
  const pieces = text.split(PLACE); // a place at every odd index
  return (values) =>
    pieces.map((piece, at) => (at % 2 === 0 ? piece : values[piece as P])).join('');
}
