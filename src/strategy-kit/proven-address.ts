import { parseEmail, type Identifier } from '#src/platform/email-address';

/**
 * Says that somebody has just proved by `strategy` that an e-mail address is theirs. The server then
 * finds or creates its user.
 */
export class ProvenAddress {
  readonly strategy: string;
  readonly address: Identifier;

  /** @throws {Error} for a text that is no e-mail address */
  constructor(strategy: string, address: string) {
    const parsed = parseEmail(address);
    if ('code' in parsed)
      throw new Error(`The strategy ${strategy} gave resolveAddress a text that is no address`);
    this.strategy = strategy;
    this.address = parsed;
  }
}
