import { asError } from '#src/authentication/strategy-failure';
import { callbackAt } from '#src/strategy-kit/adapters';
import type { PassportStrategy } from '#src/strategy-kit/strategy';

type Verify = (...args: unknown[]) => unknown;

/** Where strategies keep the function that their author gave them. */
const VERIFY_FIELDS = [
  '_verify',
  'verify',
  '_signonVerify',
  '_logoutVerify',
  '_secret',
  '_validate',
  '_setup',
];

/** Most strategies drop what their verify function answers. An async one that rejects would end the process. */
export function forwardRejections(inner: PassportStrategy): void {
  const strategy = inner as unknown as Record<string, Verify>;
  const names = VERIFY_FIELDS.filter(
    (key) => Object.hasOwn(strategy, key) && typeof strategy[key] === 'function',
  );
  for (const name of names) {
    const original = strategy[name]!;
    const forwarding: Verify = function (this: unknown, ...args) {
      const done = args[callbackAt(args)] as (error: unknown) => void;
      const result = original.apply(this, args);
      if (result instanceof Promise) result.catch((error: unknown) => done(asError(error)));
      return result;
    };
    strategy[name] = Object.defineProperty(forwarding, 'length', { value: original.length });
  }
}
