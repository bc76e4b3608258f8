import { createHmac, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';
import type { Context } from '#src/context';

/**
 * `rt1.` and base64url of: key id (5 bytes), session id (16), generation (4, big-endian), HMAC-SHA-256 of these (32).
 * The token is derived, not stored: the database holds no token that could be stolen, and a generation always has the
 * same token.
 */
const PREFIX = 'rt1.';
const KEY_ID_BYTES = 5;
const SIGNED_BYTES = KEY_ID_BYTES + 16 + 4;
const TOKEN_BYTES = SIGNED_BYTES + 32;

function keysOf({ secrets }: Context) {
  const ids = secrets.keysFor('refresh-token-id');
  return secrets
    .keysFor('refresh-token')
    .map((key, i) => ({ id: ids[i]!.subarray(0, KEY_ID_BYTES), key }));
}
const mac = (key: Buffer, signed: Buffer) => createHmac('sha256', key).update(signed).digest();

interface ReadToken {
  sessionId: string;
  generation: number;
}

/** The refresh token of a generation of a session, under the current APP_SECRET. */
export function refreshTokenOf(
  ctx: Context,
  { id, generation }: { id: string; generation: number },
): string {
  const [current] = keysOf(ctx);
  const signed = Buffer.concat([current!.id, parse(id), Buffer.alloc(4)]);
  signed.writeUInt32BE(generation, KEY_ID_BYTES + 16);
  return PREFIX + Buffer.concat([signed, mac(current!.key, signed)]).toString('base64url');
}

/** What a genuine refresh token says, or null for any other text. Compares in constant time, and asks no database. */
export function readRefreshToken(ctx: Context, text: string): ReadToken | null {
  const bytes = Buffer.from(text.slice(PREFIX.length), 'base64url');
  if (bytes.length !== TOKEN_BYTES || text !== PREFIX + bytes.toString('base64url')) return null;
  const signed = bytes.subarray(0, SIGNED_BYTES);
  const used = keysOf(ctx).find(({ id }) => id.equals(signed.subarray(0, KEY_ID_BYTES)));
  if (!used || !timingSafeEqual(mac(used.key, signed), bytes.subarray(SIGNED_BYTES))) return null;
  return {
    sessionId: stringify(signed, KEY_ID_BYTES),
    generation: signed.readUInt32BE(KEY_ID_BYTES + 16),
  };
}
