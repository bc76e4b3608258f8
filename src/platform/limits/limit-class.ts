import type { Rule } from '#src/platform/limits/store';
import type { Rate } from '#src/platform/settings/limits';
import type { Settings } from '#src/platform/settings/settings';

/**
 * Whose hits are counted together: those of a network, of the site that it is part of (an IPv6 /48), or of the subject that
 * the caller names. Nothing counts everybody: who fills such a counter keeps everybody out, and on a database it is a row
 * that every sign-in locks. What it would protect has bounds of its own: passwords are hashed one after the other in a
 * short queue, and accounts, networks and sites are counted apart.
 */
export type LimitedBy = 'network' | 'site' | 'account' | 'session' | 'service';

export interface LimitRule extends Rule {
  readonly by: LimitedBy;
}

/** Something that may only be done so often. The name is part of the keys of its counters, and of 429 headers. */
export interface LimitClass {
  readonly name: string;
  /** Its numbers are settings. */
  readonly rules: (settings: Settings) => readonly LimitRule[];
  /** What succeeds is taken back. */
  readonly failuresOnly: boolean;
}
export const limitClass = (
  name: string,
  rules: LimitClass['rules'],
  { failuresOnly = false } = {},
): LimitClass => Object.freeze({ name, rules, failuresOnly });

/** The rules of a setting such as `30/1m, 300/1h`. */
export const per = (by: LimitedBy, rates: readonly Rate[]): LimitRule[] =>
  rates.map((rate) => ({ by, ...rate }));

/** Networks of one site may have ten times the number of each, where the rules do not say how much it may. */
export const withSite = (rules: readonly LimitRule[]): readonly LimitRule[] =>
  rules.some(({ by }) => by === 'site')
    ? rules
    : [...rules, ...rules.map((rule) => ({ ...rule, by: 'site' as const, max: rule.max * 10 }))];

/** One hit: of which limit, by which of its rules, and whose. */
export interface Hit {
  readonly limit: string;
  readonly rule: LimitRule;
  readonly subject: string;
}

/** A hit by each rule of a class. `whose` names the subject of a rule; undefined is not counted by that rule. */
export const hitsOf = (
  settings: Settings,
  { name, rules }: LimitClass,
  whose: (rule: LimitRule) => string | undefined,
): Hit[] =>
  rules(settings).flatMap((rule) => {
    const subject = whose(rule);
    return subject === undefined ? [] : [{ limit: name, rule, subject }];
  });
