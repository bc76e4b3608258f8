import type { Area, KeyOf } from '#src/platform/messages/areas';

/** What a text may name. A number, a time and a duration are written as the language writes them. */
export type Value = string | number | Date | { readonly seconds: number } | Message;
export type Values = Readonly<Record<string, Value>>;

/** A text that is not in a language yet. */
export interface Message {
  readonly area: Area;
  readonly key: string;
  readonly values: Values;
}

export const message = <A extends Area>(area: A, key: KeyOf<A>, values: Values = {}): Message => ({
  area,
  key,
  values,
});

/** A message, or words that are in a language already. */
export type Text = string | Message;

const PLACE = /\{(\w+)\}/g;

/** The names in braces in a text. */
export const placesOf = (text: string): string[] =>
  [...new Set([...text.matchAll(PLACE)].map(([, name]) => name!))].sort();

/** Puts texts into the places. What is put in is not looked at again. */
export const fillPlaces = (text: string, fill: (name: string) => string): string =>
  text.replaceAll(PLACE, (_, name: string) => fill(name));
