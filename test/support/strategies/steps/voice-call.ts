import { codeStrategy } from '#test/support/strategies/steps/_codes';

/** Its step has the limits of a sign-in. */
export default codeStrategy('voice-call');
