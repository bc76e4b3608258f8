import { codeStrategy } from '#test/support/strategies/steps/_codes';

export default codeStrategy('sms', [{ by: 'network', max: 20, window: 60_000 }]);
