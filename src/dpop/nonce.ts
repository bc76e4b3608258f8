import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';

/** Base64url of: when it was made (4 bytes, seconds since 1970), HMAC-SHA-256 of that (16). Every node knows it. */
const TIME_BYTES = 4;
const MAC_BYTES = 16;
const PURPOSE = 'dpop-nonce';

type Parts = Pick<Context, 'secrets' | 'clock'>;

const macOf = (key: Buffer, time: Buffer) =>
  createHmac('sha256', key).update(time).digest().subarray(0, MAC_BYTES);

/** A nonce for the next proofs (RFC 9449 §8). */
export function newNonce({ secrets, clock }: Parts): string {
  const time = Buffer.alloc(TIME_BYTES);
  time.writeUInt32BE(Math.floor(clock.now() / 1000));
  const [key] = secrets.keysFor(PURPOSE);
  return Buffer.concat([time, macOf(key!, time)]).toString('base64url');
}

/** For how many more seconds a nonce of ours is good. Undefined for any other text, and for one that is too old. */
export function secondsLeft({ secrets, clock }: Parts, nonce: string): number | undefined {
  const bytes = Buffer.from(nonce, 'base64url');
  if (bytes.length !== TIME_BYTES + MAC_BYTES) return undefined;
  const [time, mac] = [bytes.subarray(0, TIME_BYTES), bytes.subarray(TIME_BYTES)];
  if (!secrets.keysFor(PURPOSE).some((key) => timingSafeEqual(macOf(key, time), mac)))
    return undefined;
  const age = Math.floor(clock.now() / 1000) - time.readUInt32BE();
  const left = lifetimes.dpopNonceSeconds - age;
  return left > 0 && -age <= lifetimes.clockSkewSeconds ? left : undefined;
}
