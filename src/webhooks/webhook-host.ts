import { lookup, type LookupAddress } from 'node:dns';
import { promisify } from 'node:util';
import type { Settings } from '#src/platform/settings/settings';
import { addressRules, type AddressRules } from '#src/webhooks/addresses';

/** Every address of a name, as the system resolves it. */
type Resolve = (host: string) => Promise<readonly LookupAddress[]>;

/** What an instance knows for webhooks. */
export interface WebhookHost {
  /** Tells the worker of this process that there may be something to do. Does nothing where none runs. */
  wake(): void;
  /** Sets what `wake` calls. Undefined: nothing. */
  onWake(fn: (() => void) | undefined): void;
  rules(): AddressRules;
  resolve: Resolve;
}

export function createWebhookHost({
  webhookAllowedNetworks,
}: Pick<Settings, 'webhookAllowedNetworks'>): WebhookHost {
  let listener: (() => void) | undefined;
  let rules: AddressRules | undefined;
  return {
    wake: () => listener?.(),
    onWake(fn) {
      listener = fn;
    },
    rules: () => (rules ??= addressRules(webhookAllowedNetworks)),
    resolve: (host) => promisify(lookup)(host, { all: true }),
  };
}
