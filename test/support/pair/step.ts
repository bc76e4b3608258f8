import * as fc from 'fast-check';
import type { Person, Side } from '#test/support/pair/side';

/** Something that both servers are asked to do. The label is printed with a failure. */
export interface Step {
  toString(): string;
  /** What comes back: an answer, or a value of the server-side API. */
  run(side: Side): Promise<unknown>;
}

/** Steps that are made of these values. */
export const steps = <T extends object>(
  name: string,
  given: { [K in keyof T]: fc.Arbitrary<T[K]> },
  run: (side: Side, given: T) => Promise<unknown>,
): fc.Arbitrary<Step> =>
  (fc.record(given) as fc.Arbitrary<T>).map((values) => ({
    toString: () => `${name} ${JSON.stringify(values)}`,
    run: (side) => run(side, values),
  }));

/** Steps of somebody who registered. Nothing is done while nobody has. */
export const stepsOf = <T extends object>(
  name: string,
  given: { [K in keyof T]: fc.Arbitrary<T[K]> },
  run: (side: Side, person: Person, given: T) => Promise<unknown>,
): fc.Arbitrary<Step> =>
  steps<T & { who: number }>(name, { ...given, who: fc.nat(3) } as never, async (side, values) => {
    const person = side.people[values.who % side.people.length];
    return person ? run(side, person, values) : 'nobody';
  });

export const often = (weight: number, arbitrary: fc.Arbitrary<Step>) => ({ weight, arbitrary });

/** So far back from the newest. Undefined if there is none. */
export const fromEnd = <T>(list: readonly T[], back: number): T | undefined =>
  list.at(-1 - (back % (list.length || 1)));
export const back = fc.oneof(
  { weight: 5, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constant(1) },
  { weight: 1, arbitrary: fc.nat(6) },
);

export const PASSWORDS = ['correct horse battery', 'staple paper lantern', 'Viölet engine härbour'];
/** Passwords that are chosen: mostly good ones. */
export const chosen = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...PASSWORDS) },
  fc.constantFrom('short', 'password', 'correct horse battery ', 'x'.repeat(73), '🔑'.repeat(20)),
);
/** What is typed for the password of a person. */
export const typed = fc.oneof(
  { weight: 8, arbitrary: fc.constant(null) },
  fc.constantFrom('not the password', ...PASSWORDS),
);
export const secretOf = ({ password }: Person, other: string | null): string => other ?? password;

/** Databases disagree about these when they compare text themselves. */
const SPELLINGS: Record<string, (text: string) => string> = {
  same: (text) => text,
  upper: (text) => text.toUpperCase(),
  wide: (text) =>
    text.replaceAll(/[a-z]/g, (char) => String.fromCodePoint(char.codePointAt(0)! + 0xfee0)),
  spaced: (text) => ` ${text} `,
  'with an accent': (text) => text.replace('a', 'á'),
  'with a dotted capital': (text) => text.replace('i', 'İ'),
  'with a no-break space': (text) => `${text}\u00a0`,
  'with a NUL': (text) => `${text}\0`,
  cut: (text) => text.slice(0, -1),
  'with a wildcard': (text) => text.replace(/.$/, '%'),
};
export const spelling = fc.oneof(
  { weight: 10, arbitrary: fc.constant('same') },
  fc.constantFrom(...Object.keys(SPELLINGS)),
);
export const spelt = (text: string, how: string): string => SPELLINGS[how]!(text);

/** How somebody names a person: by username or address, spelt in some way. */
export const naming = { spelling, byEmail: fc.boolean() };
export interface Naming {
  spelling: string;
  byEmail: boolean;
}
export const nameOf = ({ username, email }: Person, { spelling, byEmail }: Naming): string =>
  spelt((byEmail ? (email ?? username) : (username ?? email)) ?? 'nobody', spelling);
