import type { AuthStrategy, StrategyStep } from '#src/strategy-kit/strategy';

const FIELDS = [
  'name',
  'path',
  'kind',
  'summary',
  'env',
  'credentials',
  'steps',
  'account',
  'scheme',
  'rawBody',
  'responseMode',
  'create',
];
const KINDS = ['login', 'redirect', 'bearer'];
const NAME = /^[a-z][\w-]*$/;
const PATH = /^[a-z0-9][\w-]*(\/[a-z0-9][\w-]*)*$/;
const STEP = /^[a-z0-9][\w-]*$/;

/** The path of a strategy's route. */
export const pathOf = ({ name, path = name }: AuthStrategy): string => `/auth/${path}`;

/** The path of one of its steps. */
export const stepPathOf = (strategy: AuthStrategy, step: string): string =>
  `${pathOf(strategy)}/${step}`;

/**
 * What is wrong with what a strategy file exports, as a predicate: `has no create()`. Undefined if
 * nothing is. `name` is the name of the file without its extension.
 */
export function faultOf(strategy: AuthStrategy | undefined, name: string): string | undefined {
  if (!NAME.test(name))
    return 'must be named with small letters, digits, - and _, or begin with _ if it is no strategy';
  if (strategy?.name !== name) return `must default-export a strategy named "${name}"`;
  const unknown = Object.keys(strategy).find((key) => !FIELDS.includes(key));
  if (unknown) return `has a field that is not known: ${unknown}`;
  const { kind, path = name, responseMode = 'query' } = strategy;
  if (typeof strategy.create !== 'function') return 'has no create()';
  if (typeof strategy.summary !== 'string' || strategy.summary === '') return 'has no summary';
  if (!KINDS.includes(kind)) return 'has a kind that is not known: login, redirect or bearer';
  if (!['query', 'form_post'].includes(responseMode))
    return 'has a responseMode that is not known: query or form_post';
  if (!PATH.test(path)) return 'has a path that is not made of small letters, digits, - and /';
  if (strategy.env && !('shape' in strategy.env)) return 'has an env that is no z.object({ … })';
  if (kind === 'login' && !strategy.credentials)
    return 'is of kind login and must describe its credentials';
  if (kind === 'bearer' && !strategy.scheme)
    return 'is of kind bearer and must describe its scheme';
  if (kind !== 'bearer' && strategy.rawBody) return 'has rawBody, which only kind bearer can have';
  if (kind !== 'login' && strategy.steps) return 'has steps, which only kind login can have';
  return Object.entries(strategy.steps ?? {})
    .map(([step, definition]) => stepFaultOf(step, definition))
    .find((fault) => fault !== undefined);
}

function stepFaultOf(name: string, step: StrategyStep | undefined): string | undefined {
  if (!STEP.test(name))
    return `has a step "${name}" whose name is not made of small letters, digits and -`;
  if (typeof step?.run !== 'function') return `has a step "${name}" without run()`;
  if (typeof step.summary !== 'string' || step.summary === '')
    return `has a step "${name}" without a summary`;
  if (typeof step.body?.safeParse !== 'function' || typeof step.returns?.safeParse !== 'function')
    return `has a step "${name}" that must describe its body and what it returns`;
  return undefined;
}
