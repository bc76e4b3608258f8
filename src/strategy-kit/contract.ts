import type {
  AuthorizationParameter,
  AuthStrategy,
  StrategyLink,
  StrategyStep,
} from '#src/strategy-kit/strategy';

const FIELDS = [
  'name',
  'provider',
  'path',
  'kind',
  'summary',
  'isOn',
  'env',
  'sharedSettings',
  'credentials',
  'steps',
  'link',
  'account',
  'scheme',
  'isCredential',
  'rawBody',
  'amr',
  'responseMode',
  'authorizationParameters',
  'check',
  'load',
  'revoke',
  'create',
];
export const authorizationParameterNames: readonly AuthorizationParameter[] = [
  'prompt',
  'login_hint',
  'acr_values',
  'ui_locales',
  'max_age',
];
const KINDS = ['login', 'redirect', 'bearer'];
const NAME = /^[a-z][\w-]*$/;
const PATH = /^[a-z0-9][\w-]*(\/[a-z0-9][\w-]*)*$/;
/** A value of RFC 8176. */
const AMR = /^[a-z0-9]{1,16}$/;
const MOST_AMR = 4;
const STEP = /^[a-z0-9][\w-]*$/;

/** The provider of the identities that a strategy names. */
export const providerOf = ({ name, provider = name }: AuthStrategy): string => provider;

/** The path of a strategy's route. */
export const pathOf = ({ name, path = name }: AuthStrategy): string => `/auth/${path}`;

/** How a sign-in by this strategy is proved (RFC 8176), unless it says more about one sign-in. */
export const amrOf = ({ kind, amr }: AuthStrategy): readonly string[] =>
  amr ?? (kind === 'redirect' ? ['fed'] : ['pwd']);

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
  if (strategy.check && typeof strategy.check !== 'function')
    return 'has a check that is no function';
  if (strategy.isOn && typeof strategy.isOn !== 'function')
    return 'has an isOn that is no function';
  if (strategy.load && typeof strategy.load !== 'function') return 'has a load that is no function';
  if (strategy.revoke && typeof strategy.revoke !== 'function')
    return 'has a revoke that is no function';
  if (!NAME.test(providerOf(strategy)))
    return 'has a provider that is not named with small letters, digits, - and _';
  if (typeof strategy.summary !== 'string' || strategy.summary === '') return 'has no summary';
  if (!KINDS.includes(kind)) return 'has a kind that is not known: login, redirect or bearer';
  if (!['query', 'form_post'].includes(responseMode))
    return 'has a responseMode that is not known: query or form_post';
  if (!PATH.test(path)) return 'has a path that is not made of small letters, digits, - and /';
  const { authorizationParameters = [] } = strategy;
  const parameter = authorizationParameters.find(
    (each) => !authorizationParameterNames.includes(each),
  );
  if (parameter) return `has an authorization parameter that is not known: ${parameter}`;
  if (authorizationParameters.length > 0 && kind !== 'redirect')
    return 'has authorizationParameters, which only kind redirect can have';
  if (strategy.env && !('shape' in strategy.env)) return 'has an env that is no z.object({ … })';
  if (kind === 'login' && !strategy.credentials)
    return 'is of kind login and must describe its credentials';
  if (kind === 'bearer' && !strategy.scheme)
    return 'is of kind bearer and must describe its scheme';
  if (kind !== 'bearer' && strategy.rawBody) return 'has rawBody, which only kind bearer can have';
  if (kind !== 'login' && strategy.steps) return 'has steps, which only kind login can have';
  const wrongAmr = amrFaultOf(strategy);
  if (wrongAmr) return wrongAmr;
  if (kind !== 'login' && strategy.link) return 'has a link, which only kind login can have';
  const linkFault = strategy.link && linkFaultOf(strategy.link, Object.keys(strategy.steps ?? {}));
  if (linkFault) return linkFault;
  return Object.entries(strategy.steps ?? {})
    .map(([step, definition]) => stepFaultOf(step, definition))
    .find((fault) => fault !== undefined);
}

function amrFaultOf({ kind, amr }: AuthStrategy): string | undefined {
  if (amr === undefined) return undefined;
  if (kind === 'bearer') return 'has amr, which only kinds login and redirect can have';
  const isList = Array.isArray(amr) && amr.length > 0 && amr.length <= MOST_AMR;
  return isList && amr.every((each) => typeof each === 'string' && AMR.test(each))
    ? undefined
    : `has an amr that is no list of 1 to ${MOST_AMR} values of RFC 8176, such as otp`;
}

const isSaid = (text: unknown): boolean =>
  (typeof text === 'string' && text !== '') || (typeof text === 'object' && text !== null);

function linkFaultOf(link: StrategyLink, steps: readonly string[]): string | undefined {
  const { title, text, button, usedBefore } = link;
  if (![title, text, button, usedBefore].every(isSaid))
    return 'has a link without title, text, button and usedBefore';
  if (typeof link.find !== 'function' || typeof link.open !== 'function')
    return 'has a link without find() and open()';
  return steps.includes('link') ? 'has a link and a step "link", which have one path' : undefined;
}

function stepFaultOf(name: string, step: StrategyStep | undefined): string | undefined {
  if (!STEP.test(name))
    return `has a step "${name}" whose name is not made of small letters, digits and -`;
  if (typeof step?.run !== 'function') return `has a step "${name}" without run()`;
  if (typeof step.summary !== 'string' || step.summary === '')
    return `has a step "${name}" without a summary`;
  if (typeof step.body?.safeParse !== 'function' || typeof step.returns?.safeParse !== 'function')
    return `has a step "${name}" that must describe its body and what it returns`;
  if (typeof step.limit === 'function') return undefined;
  const by = step.limit?.find((rule) => !['network', 'site'].includes(rule.by))?.by;
  if (by !== undefined)
    return `has a step "${name}" with a limit by ${by}: a step can be limited by network and by site`;
  return undefined;
}
