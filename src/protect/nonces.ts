import { createHmac, timingSafeEqual } from 'node:crypto';
import { now } from '#src/protect/time';

/** How long a nonce is good, in seconds. */
export const NONCE_SECONDS = 300;
/** How far the clocks of several instances may be apart, in seconds. */
const SKEW = 60;
/** Base64url of: when it was made (4 bytes, seconds since 1970), HMAC-SHA-256 of that (16). */
const TIME_BYTES = 4;
const MAC_BYTES = 16;

/** Nonces for proofs (RFC 9449 §9). Nothing is kept: all instances with the secret of the service know them. */
export class Nonces {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('sallyport dpop nonce').digest();
  }

  make(): string {
    const time = Buffer.alloc(TIME_BYTES);
    time.writeUInt32BE(Math.floor(now() / 1000));
    return Buffer.concat([time, this.#macOf(time)]).toString('base64url');
  }

  /** Until when this nonce is good, in seconds since 1970. Undefined for any other text. */
  end(nonce: unknown): number | undefined {
    const bytes = Buffer.from(typeof nonce === 'string' ? nonce : '', 'base64url');
    if (bytes.length !== TIME_BYTES + MAC_BYTES) return undefined;
    const [time, mac] = [bytes.subarray(0, TIME_BYTES), bytes.subarray(TIME_BYTES)];
    if (!timingSafeEqual(this.#macOf(time), mac)) return undefined;
    const madeAt = time.readUInt32BE();
    const age = now() / 1000 - madeAt;
    return age < NONCE_SECONDS && -age <= SKEW ? madeAt + NONCE_SECONDS : undefined;
  }

  #macOf(time: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(time).digest().subarray(0, MAC_BYTES);
  }
}
